"""Two random halves of a training set, for the two descents of Eq. 7."""

import numpy as np


def random_halves(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides samples at random into two parts of equal size.

    Sec. 4.2: "randomly divided into two equal parts", drawn anew for each
    search, which is to say for each seed.

    Args:
        count: Samples.
        seed: Seed of the draw; any integer.

    Returns:
        Sorted indices of the weight split (tra_w) and of the architecture
        split (tra_alpha): disjoint, together all; the first has one more where
        `count` is odd.
    """
    order = generator(seed, "halves").permutation(count)
    middle = (count + 1) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])


def generator(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Returns the random generator of one purpose.

    Every draw of the input has a generator of its own, so that no draw
    depends on how many came before it.

    Args:
        seed: Seed of the run; any integer.
        purpose: Keeps the draws of different kinds apart.
        *numbers: Which draw of that kind; not negative.
    """
    words = [seed % (1 << 64), int.from_bytes(purpose.encode(), "little")]
    return np.random.default_rng([*words, *numbers])

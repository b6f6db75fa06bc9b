"""The factors of test-time averaging on a command line."""

from nppnet_tf.errors import UserError

# Below, nothing is left of a person; above, memory ends.
_LIMITS = (0.1, 4.0)


def parse(words: list[str]) -> tuple[float, ...]:
    """Reads the value of `--scales`.

    Args:
        words: Factors, as the user typed them.

    Raises:
        UserError: If there is none, or one is no factor.
    """
    try:
        scales = tuple(float(word) for word in words)
    except ValueError:
        scales = ()
    if not scales or not all(
        _LIMITS[0] <= scale <= _LIMITS[1] for scale in scales
    ):
        raise UserError(
            "wrong scales",
            "--scales",
            f"factors from {_LIMITS[0]} to {_LIMITS[1]}, as 0.5,1,1.5",
            ",".join(words) or "nothing",
        )
    return scales

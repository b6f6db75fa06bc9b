"""Arrays of the reference implementations, read whole."""

import numpy as np

from tests.shared import shared_path


def load(relative: str) -> dict[str, np.ndarray]:
    """Returns the arrays of "<name>.npz" below the reference folder.

    Raises:
        unittest.SkipTest: Where the folder is absent.
    """
    with np.load(shared_path(f"reference/{relative}")) as file:
        return {name: file[name] for name in file.files}

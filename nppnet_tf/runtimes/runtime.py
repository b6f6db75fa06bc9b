"""What a runtime is: a format of files, who writes them and who runs them."""

import dataclasses
import importlib.util
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.form.nodes import Outputs

FLOAT32 = "float32"
FLOAT16 = "float16"
INT8 = "int8"
PRECISIONS = (FLOAT32, FLOAT16, INT8)

# From float32 [1, H, W, 3], normalized, to the outputs by their names.
Network = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Source:
    """What a file is written of.

    Attributes:
        outputs: The inference form.
        image_size: (height, width) of the one input that the file takes.
        calibration: Inputs float32 [1, height, width, 3] that activations are
            measured on, for `INT8`.
    """

    outputs: Outputs
    image_size: tuple[int, int]
    calibration: Sequence[np.ndarray] = ()


@dataclasses.dataclass(frozen=True)
class Runtime:
    """One format of files.

    Attributes:
        name: Name of the format, as flags have it.
        title: Name of the program that runs it.
        file: Name of the file that is loaded.
        packages: Packages that loading it takes, by the extra that brings
            them.
        writing_packages: Likewise for writing, besides those.
        calibrated: Precisions that are measured on pictures.
        write: Writes a form into a folder, at one of `PRECISIONS`.
        load: Opens a file.
    """

    name: str
    title: str
    file: str
    packages: Mapping[str, str]
    writing_packages: Mapping[str, str]
    calibrated: tuple[str, ...]
    write: Callable[[Source, str, pathlib.Path], None]
    load: Callable[[pathlib.Path], Network]

    def require_packages(self, for_writing: bool) -> None:
        """Looks for what it takes, without importing it.

        Args:
            for_writing: Whether a file is to be written, not only loaded.

        Raises:
            UserError: Some is not installed.
        """
        needed = dict(self.packages)
        if for_writing:
            needed |= self.writing_packages
        missing = [
            package
            for package in needed
            if importlib.util.find_spec(package) is None
        ]
        if missing:
            extras = ",".join(dict.fromkeys(needed.values()))
            raise UserError(
                f"{self.title} is not installed",
                None,
                f"pip install 'nppnet_tf[{extras}]'",
                f"no package {' and no '.join(missing)}",
            )

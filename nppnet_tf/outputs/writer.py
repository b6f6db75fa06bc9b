"""What a format of output is: a writer of predicted pictures."""

import dataclasses
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nppnet_tf.data import openpose
from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.inference.picture_answer import PictureAnswer


@dataclasses.dataclass(frozen=True)
class Settings:
    """What writers are told.

    Attributes:
        output: Folder of the files.
        has_people: Whether people are cut out of the pictures; otherwise
            every picture is of one.
        opacity: Opacity of the parts where they are drawn over a picture.
        openpose: Layout of OpenPose's files, of
            `openpose.LAYOUTS`.
    """

    output: pathlib.Path
    has_people: bool = False
    opacity: float = 0.5
    openpose: str = openpose.BODY_25


@dataclasses.dataclass(frozen=True)
class Names:
    """What a model's numbers mean.

    Attributes:
        descriptor: Names of classes and keypoints, colors, skeleton.
        score_threshold: Least score of a joint that was found.
    """

    descriptor: DatasetDescriptor
    score_threshold: float = visibility.SCORE_THRESHOLD


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture that was predicted.

    Attributes:
        name: File name, as text.
        start: What the names of its files begin with.
        suffix: Ending of the name of the picture, ".jpg".
        data: Bytes of the file.
        image: Uint8 [H, W, 3], RGB, upright.
    """

    name: str
    start: str
    suffix: str
    data: bytes
    image: np.ndarray


class Writer(Protocol):
    """Writes pictures in one format.

    A picture's files appear together or not at all; those of all pictures
    appear at the end.
    """

    def __init__(self, settings: Settings) -> None:
        """Takes the settings; makes nothing."""

    def plan(
        self, pictures: Sequence[pathlib.Path]
    ) -> Mapping[pathlib.Path, str]:
        """Returns what the names of each picture's files begin with.

        Called before a model is loaded.

        Args:
            pictures: Paths of pictures of different names.

        Raises:
            UserError: If something would be replaced that is no earlier
                output.
        """

    def begin(self, names: Names) -> None:
        """Takes what the numbers mean; UserError where they do not fit."""

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """Writes the files of one picture."""

    def finish(self) -> None:
        """Writes the files of all pictures."""

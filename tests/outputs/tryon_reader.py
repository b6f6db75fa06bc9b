"""Reads a folder of VITON-HD as the loaders of try-on projects do.

Written from the published layout: a list of pairs, names of the other files
made of the picture's name, label maps of indices below 20, poses of OpenPose
reshaped to rows of three, masks that are inside where they are white. All are
of 768 x 1024, which some of the loaders take for granted.
"""

import dataclasses
import json
import pathlib

import numpy as np
from PIL import Image

_SIZE = (768, 1024)
_ENDINGS = {
    "upper_body": "",
    "lower_body": "-lower_body",
    "dresses": "-dresses",
}


@dataclasses.dataclass(frozen=True)
class TryonPerson:
    """What a loader hands on of one person.

    Attributes:
        image: Uint8 [H, W, 3].
        parts: Integer [H, W], LIP's classes.
        agnostic_parts: Integer [H, W], without what goes.
        pose: Float [25, 2].
        pose_image: Uint8 [H, W, 3].
        masks: Bool [H, W] by the kind of garment.
        agnostics: Uint8 [H, W, 3] likewise.
    """

    image: np.ndarray
    parts: np.ndarray
    agnostic_parts: np.ndarray
    pose: np.ndarray
    pose_image: np.ndarray
    masks: dict[str, np.ndarray]
    agnostics: dict[str, np.ndarray]


def names(root: pathlib.Path) -> list[str]:
    """Returns the names of the people's pictures, of the list of pairs."""
    json.loads((root / "test/vitonhd_test_tagged.json").read_text())
    lines = (root / "test_pairs.txt").read_text().splitlines()
    return [person for person, _ in (line.split() for line in lines)]


def read(root: pathlib.Path, name: str) -> TryonPerson:
    """Reads one person; an exception of any kind says what is wrong."""
    folder = root / "test"
    png = name.replace(".jpg", ".png")
    keypoints = name.replace(".jpg", "_keypoints.json")
    document = json.loads((folder / "openpose_json" / keypoints).read_text())
    values = np.array(document["people"][0]["pose_keypoints_2d"])
    rendered = name.replace(".jpg", "_rendered.png")
    mask = name.replace(".jpg", "_mask.png")
    return TryonPerson(
        _picture(folder / "image" / name),
        _parts(folder / "image-parse-v3" / png),
        _parts(folder / "image-parse-agnostic-v3.2" / png),
        values.reshape(25, 3)[:, :2],
        _picture(folder / "openpose_img" / rendered),
        {
            kind: _picture(folder / f"agnostic-mask{end}" / mask)[..., 0] > 127
            for kind, end in _ENDINGS.items()
        },
        {
            kind: _picture(folder / f"agnostic-v3.2{end}" / name)
            for kind, end in _ENDINGS.items()
        },
    )


def _picture(path: pathlib.Path) -> np.ndarray:
    with Image.open(path) as image:
        _check_size(image, path)
        return np.asarray(image.convert("RGB"))


def _parts(path: pathlib.Path) -> np.ndarray:
    with Image.open(path) as image:
        _check_size(image, path)
        if image.mode != "P":
            raise ValueError(f"{path}: no palette")
        parts = np.asarray(image)
    if parts.max() >= 20:
        raise ValueError(f"{path}: class {parts.max()}")
    return parts


def _check_size(image: Image.Image, path: pathlib.Path) -> None:
    if image.size != _SIZE:
        raise ValueError(f"{path}: {image.size}")

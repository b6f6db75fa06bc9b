"""Small records and LIP folders for tests."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import Record
from nppnet_tf.pictures import picture_files
from tests.shared import shared_path


def make_record(
    number: int = 0,
    size: tuple[int, int] = (40, 24),
    with_label_map: bool = True,
    with_pose: bool = True,
) -> Record:
    """Returns a record that is random, and the same for the same number."""
    random = np.random.default_rng(number)
    height, width = size
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    label_map = keypoints_xy = visibility = None
    if with_label_map:
        label_map = random.integers(0, 20, size, dtype=np.uint8)
    if with_pose:
        visibility = random.integers(0, 3, 16, dtype=np.int32)
        keypoints_xy = random.uniform(0, (width - 1, height - 1), (16, 2))
        keypoints_xy[visibility == ABSENT] = 0
        keypoints_xy = keypoints_xy.astype(np.float32)
    return Record(
        f"id_{number:03d}",
        picture_files.encode_png(pixels),
        label_map,
        keypoints_xy,
        visibility,
    )


def make_records(count: int) -> list[Record]:
    """Returns records with the ids id_000, id_001, ..."""
    return [make_record(number) for number in range(count)]


def pose_row(record: Record) -> str:
    """Returns the line of a pose CSV for a record."""
    cells = [f"{record.record_id}.jpg"]
    for (x, y), visible in zip(
        record.keypoints_xy, record.visibility, strict=True
    ):
        if visible == ABSENT:
            cells += ["nan"] * 3
        else:
            cells += [f"{x:g}", f"{y:g}", str(2 - visible)]
    return ",".join(cells)


def write_lip(
    root: pathlib.Path,
    records: list[Record],
    split: str = "train",
    is_nested: bool = False,
) -> None:
    """Writes records as LIP's archives lie on disk."""

    def folder(archive: str, name: str) -> pathlib.Path:
        path = root / archive / (archive if is_nested else "") / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    image_folder = folder("TrainVal_images", f"{split}_images")
    labels = folder("TrainVal_parsing_annotations", f"{split}_segmentations")
    poses = folder("TrainVal_pose_annotations", "")
    for record in records:
        name = record.record_id
        # The extension is LIP's; what is inside decides how it is read.
        (image_folder / f"{name}.jpg").write_bytes(record.image_bytes)
        if record.label_map is not None:
            png = picture_files.encode_png(record.label_map)
            (labels / f"{name}.png").write_bytes(png)
    rows = [
        pose_row(record) for record in records if record.visibility is not None
    ]
    (poses / f"lip_{split}_set.csv").write_text(
        "".join(f"{row}\n" for row in rows)
    )
    ids = "".join(f"{record.record_id}\n" for record in records)
    (image_folder.parent / f"{split}_id.txt").write_text(ids)


def assert_same(
    case: absltest.TestCase, actual: Record, expected: Record
) -> None:
    """Compares two records to the bit."""
    case.assertEqual(actual.record_id, expected.record_id)
    case.assertEqual(actual.image_bytes, expected.image_bytes)
    case.assertEqual(actual.crop, expected.crop)
    for name in ("label_map", "keypoints_xy", "visibility"):
        wanted, found = getattr(expected, name), getattr(actual, name)
        if wanted is None:
            case.assertIsNone(found)
        else:
            case.assertEqual(found.dtype, wanted.dtype)
            np.testing.assert_array_equal(found, wanted)


def flip_byte(path: pathlib.Path, offset: int) -> None:
    """Damages one byte of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)


def reference_arrays(name: str) -> dict[str, np.ndarray]:
    """Returns all arrays of a reference file, which is closed again."""
    with np.load(shared_path(f"reference/{name}")) as arrays:
        return dict(arrays)

"""Small trees of pictures with several people for tests.

Two people in every picture, one on the left half and one on the right.
"""

import json
import pathlib

import numpy as np
from scipy import io

from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.pictures import picture_files

SIZE = (40, 60)
BOXES = ((2.6, 4.2, 22.9, 34.7), (25.0, 1.0, 58.0, 39.0))
NUM_KEYPOINTS = PASCAL_PERSON_PART.num_keypoints
_KEYPOINTS = PASCAL_PERSON_PART.keypoints


def picture(seed: int) -> np.ndarray:
    """Random uint8 [40, 60, 3]."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def label_map(seed: int) -> np.ndarray:
    """Random parts everywhere, uint8 [40, 60], never background."""
    random = np.random.default_rng(seed + 100)
    return random.integers(1, 7, SIZE, dtype=np.uint8)


def joints(seed: int) -> np.ndarray:
    """Of the two people, [2, 14, 3] of x, y, v; the last one is absent."""
    random = np.random.default_rng(seed + 200)
    starts = np.array([box[:2] for box in BOXES])
    ends = np.array([box[2:] for box in BOXES])
    shares = random.uniform(0.1, 0.9, (2, NUM_KEYPOINTS, 2))
    xy = starts[:, None] + shares * (ends - starts)[:, None]
    visible = np.ones((2, NUM_KEYPOINTS, 1))
    visible[:, -1] = 0
    return np.concatenate([xy, visible], axis=-1)


def masks() -> np.ndarray:
    """Of the two people, bool [2, 40, 60]: the halves of the picture."""
    found = np.zeros((2, *SIZE), bool)
    found[0, :, :24] = True
    found[1, :, 24:] = True
    return found


def write_joints(path: pathlib.Path, people: np.ndarray, boxes) -> None:
    """Writes a file of PersonJoints."""
    cells = {}
    for name, values in (("joints", people), ("boxes", boxes)):
        cells[name] = np.empty((1, len(values)), object)
        for number, value in enumerate(values):
            shape = (1, -1) if name == "boxes" else (-1, 3)
            value = np.asarray(value, float)
            cells[name][0, number] = value.reshape(shape) if value.size else []
    path.parent.mkdir(parents=True, exist_ok=True)
    io.savemat(path, cells)


def write_detections(path: pathlib.Path, boxes, found_masks=None) -> None:
    """Writes what a detector would have found: people, and one dog."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(boxes)
    arrays = {
        "boxes": np.concatenate([np.asarray(boxes), [[0, 0, 9, 9]]]),
        "pred_classes": np.array([0] * count + [16]),
        "scores": np.linspace(0.9, 0.5, count + 1),
    }
    if found_masks is not None:
        dog = np.zeros((1, *SIZE), bool)
        arrays["pred_masks"] = np.concatenate([found_masks, dog])
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
    else:
        np.save(path, arrays, allow_pickle=True)


def write(root: pathlib.Path, ids: list[str], split: str = "train") -> None:
    """Writes pictures, parts, joints, detections, instances and the list."""
    for name in ("JPEGImages", "SegmentationPart", "Instances"):
        (root / name).mkdir(parents=True, exist_ok=True)
    ids_of_people = (masks() * np.array([1, 2])[:, None, None]).sum(0)
    for seed, name in enumerate(ids):
        files = {
            # The extension is PASCAL's; what is inside decides.
            f"JPEGImages/{name}.jpg": picture(seed),
            f"SegmentationPart/{name}.png": label_map(seed),
            f"Instances/{name}.png": ids_of_people.astype(np.uint8),
        }
        for path, array in files.items():
            (root / path).write_bytes(picture_files.encode_png(array))
        write_joints(root / "PersonJoints" / f"{name}.mat", joints(seed), BOXES)
        # In another order than the annotation, a little off.
        moved = np.array(BOXES[::-1]) + (0.4, -0.3, 0.6, -0.5)
        write_detections(root / "Mask" / f"{name}.npy", moved, masks()[::-1])
    (root / f"{split}_id.txt").write_text("".join(f"{i}\n" for i in ids))


def write_coco(
    root: pathlib.Path,
    ids: list[str],
    num_people: int = 2,
    visible: tuple[bool, ...] = (True, True),
) -> None:
    """Writes a plain folder with label maps, instances and COCO keypoints.

    Classes, joints and people are those of `write`; people who are not visible
    have a box alone.
    """
    write(root / "pascal", ids)
    for name, place in (
        ("images", "JPEGImages"),
        ("labels", "SegmentationPart"),
        ("instances", "Instances"),
    ):
        (root / "pascal" / place).rename(root / name)
    annotations = [
        {
            "image_id": seed,
            "category_id": 1,
            "bbox": [*box[:2], box[2] - box[0], box[3] - box[1]],
            "keypoints": (person * (1, 1, 2) * is_visible).ravel().tolist(),
        }
        for seed in range(len(ids))
        for person, box, is_visible in list(
            zip(joints(seed), BOXES, visible, strict=True)
        )[:num_people]
    ]
    images_of_ids = [
        {"id": seed, "file_name": f"{name}.jpg"}
        for seed, name in enumerate(ids)
    ]
    category = {"id": 1, "name": "person", "keypoints": list(_KEYPOINTS)}
    document = {
        "images": images_of_ids,
        "annotations": annotations,
        "categories": [category],
    }
    (root / "keypoints.json").write_text(json.dumps(document))

"""Documents of LabelMe as annotators make them."""

import json

import numpy as np

from nppnet_tf.pictures import picture_files

# (height, width) of the pictures.
SIZE = (12, 20)


def shape(label, points, kind="polygon", group=None, **more):
    return {
        "label": label,
        "points": points,
        "group_id": group,
        "shape_type": kind,
        "flags": {},
        **more,
    }


def shapes(group=None):
    """A face over clothes, and two joints of which one is hidden."""
    return [
        shape("Upper-clothes", [[2, 2], [8, 2], [8, 11], [2, 11]], group=group),
        shape("Face", [[4, 0], [7, 0], [7, 4], [4, 4]], group=group),
        shape("upper_neck", [[5.5, 4.25]], "point", group),
        shape(
            "right_wrist",
            [[2.5, 10.5]],
            "point",
            group,
            flags={"occluded": True},
        ),
    ]


def label_map():
    """What `shapes` draws, by LIP's classes."""
    expected = np.zeros(SIZE, np.uint8)
    expected[2:11, 2:8] = 5
    expected[0:4, 4:7] = 13
    return expected


def write(path, drawn, **more):
    """Writes a document, and its picture beside it."""
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    name = f"{path.stem}.png"
    path.with_name(name).write_bytes(picture_files.encode_png(image))
    document = {
        "version": "5.4.1",
        "flags": {},
        "shapes": drawn,
        "imagePath": name,
        "imageData": None,
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
        **more,
    }
    path.write_text(json.dumps(document))

"""Record <-> tf.train.Example, as bytes; takes no TensorFlow."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.data.record import Crop
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import example_message as message
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files

# Features of one Example.
RECORD_ID = "record_id"
IMAGE_ENCODED = "image/encoded"
IMAGE_HEIGHT = "image/height"
IMAGE_WIDTH = "image/width"
LABEL_MAP_ENCODED = "label_map/encoded"
KEYPOINTS_XY = "keypoints/xy"
KEYPOINTS_VISIBILITY = "keypoints/visibility"
# Only of records that were cut out of larger pictures.
CROP_PICTURE_ID = "crop/picture_id"
CROP_BOX = "crop/box"
CROP_PICTURE_SIZE = "crop/picture_size"
CROP_SCORE = "crop/score"


def to_example(record: Record) -> bytes:
    """Serializes a record; equal records give equal bytes."""
    height, width = picture_files.picture_size(record.image_bytes)
    features = {
        RECORD_ID: _bytes(record.record_id.encode()),
        IMAGE_ENCODED: _bytes(record.image_bytes),
        IMAGE_HEIGHT: _integers([height]),
        IMAGE_WIDTH: _integers([width]),
    }
    if record.label_map is not None:
        label_png = picture_files.encode_png(record.label_map)
        features[LABEL_MAP_ENCODED] = _bytes(label_png)
    if record.keypoints_xy is not None and record.visibility is not None:
        xy = message.FloatList(value=record.keypoints_xy.ravel().tolist())
        features[KEYPOINTS_XY] = message.Feature(float_list=xy)
        features[KEYPOINTS_VISIBILITY] = _integers(record.visibility.tolist())
    if record.crop is not None:
        features |= _crop_features(record.crop)
    example = message.Example(features=message.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def from_example(serialized: bytes) -> Record:
    """Reads what `to_example` wrote; UserError where it did not write it."""
    try:
        example = message.Example.FromString(serialized)
    except Exception as error:
        # The class of the error is protobuf's own and not public.
        raise UserError("not an Example", found=error) from error
    feature = example.features.feature
    if RECORD_ID not in feature or IMAGE_ENCODED not in feature:
        raise UserError(
            "Example lacks features",
            None,
            f"{RECORD_ID}, {IMAGE_ENCODED}",
            ", ".join(sorted(feature)),
        )
    try:
        return _record(feature)
    except (IndexError, ValueError, TypeError) as error:
        raise UserError(
            "Example with features of another form",
            None,
            "what build_records wrote",
            error,
        ) from error


def _record(feature: Mapping[str, Any]) -> Record:
    label_map = keypoints_xy = visibility = None
    if LABEL_MAP_ENCODED in feature:
        label_png = feature[LABEL_MAP_ENCODED].bytes_list.value[0]
        label_map = picture_files.decode_label_map(label_png)
    if KEYPOINTS_XY in feature:
        xy = feature[KEYPOINTS_XY].float_list.value
        keypoints_xy = np.array(xy, np.float32).reshape(-1, 2)
        visible = feature[KEYPOINTS_VISIBILITY].int64_list.value
        visibility = np.array(visible, np.int32)
    return Record(
        record_id=feature[RECORD_ID].bytes_list.value[0].decode(),
        image_bytes=feature[IMAGE_ENCODED].bytes_list.value[0],
        label_map=label_map,
        keypoints_xy=keypoints_xy,
        visibility=visibility,
        crop=_crop(feature) if CROP_BOX in feature else None,
    )


def _crop_features(crop: Crop) -> dict[str, Any]:
    score = message.FloatList(value=[crop.score])
    return {
        CROP_PICTURE_ID: _bytes(crop.picture_id.encode()),
        CROP_BOX: _integers(crop.box),
        CROP_PICTURE_SIZE: _integers(crop.picture_size),
        CROP_SCORE: message.Feature(float_list=score),
    }


def _crop(feature: Mapping[str, Any]) -> Crop:
    left, top, right, bottom = feature[CROP_BOX].int64_list.value
    height, width = feature[CROP_PICTURE_SIZE].int64_list.value
    return Crop(
        feature[CROP_PICTURE_ID].bytes_list.value[0].decode(),
        (left, top, right, bottom),
        (height, width),
        feature[CROP_SCORE].float_list.value[0],
    )


def _bytes(value: bytes) -> Any:
    return message.Feature(bytes_list=message.BytesList(value=[value]))


def _integers(values: Sequence[int]) -> Any:
    return message.Feature(int64_list=message.Int64List(value=values))

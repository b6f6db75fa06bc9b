"""Tests of nppnet_tf.data.samples.released_sampling."""

import dataclasses
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import released_sampling
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from tests import reference_arrays
from tests.data import sample_records
from tests.shared import shared_path

# LIP's keypoints in the order of the release.
_RELEASE_ORDER = [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 7, 6]
_SIZE = (384, 384)


def transform_of_draws(draws):
    """From the release's draws of [0, 1): scale, rotation, x, y, flip."""
    scale, rotation, x, y, flip = draws
    return Transform(
        scale=0.5 + scale,
        rotation_degrees=(rotation - 0.5) * 2 * 40,
        # It moves the crop, not the picture.
        shift=((0.5 - x) * 2 * 40 / 384, (0.5 - y) * 2 * 40 / 384),
        is_mirrored=flip >= 0.5,
    )


def reference_record(arrays):
    name = f"samples/lip_mmseg/{arrays['name']}"
    joints_xy = arrays["joint_self"][:, :2].astype(np.float32)
    return Record(
        str(arrays["name"]),
        shared_path(f"{name}.jpg").read_bytes(),
        picture_files.decode_label_map(shared_path(f"{name}.png").read_bytes()),
        joints_xy,
        np.where(joints_xy.any(axis=1), VISIBLE, ABSENT).astype(np.int32),
    )


def block_record():
    """A record whose label map has large parts."""
    record = sample_records.make_record(size=(80, 56))
    labels = np.random.default_rng(1).integers(0, 20, (5, 4), np.uint8)
    labels = labels.repeat(16, axis=0).repeat(14, axis=1)
    return dataclasses.replace(record, label_map=labels)


class ReferenceTest(parameterized.TestCase):
    @parameterized.parameters("t0", "t1", "t2", "t3", "val")
    def test_equals_the_loader_of_the_release(self, case):
        arrays = reference_arrays.load("ref_samples.npz")
        transform = Transform()
        if case != "val":
            transform = transform_of_draws(arrays[f"{case}_draws"])

        sample = released_sampling.apply(
            reference_record(arrays), transform, LIP, _SIZE
        )

        difference = sample.image.astype(int) - arrays[f"{case}_image"]
        self.assertLessEqual(np.abs(difference).max(), 1)
        np.testing.assert_array_equal(
            sample.label_map, arrays[f"{case}_parsing"]
        )
        is_present = arrays[f"{case}_vis"]
        np.testing.assert_array_equal(
            sample.visibility[_RELEASE_ORDER] != ABSENT, is_present
        )
        np.testing.assert_allclose(
            sample.keypoints_xy[_RELEASE_ORDER][is_present],
            arrays[f"{case}_joints"][is_present],
            atol=1e-4,
        )


class ApplyTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("letterbox", Transform()),
        ("turned", Transform(1.3, 33.0)),
        ("mirrored", Transform(0.7, -20.0, (0.05, -0.1), True)),
    )
    def test_agrees_with_the_single_warp(self, transform):
        record = block_record()
        size = (96, 64)

        ours = augmentation.apply(record, transform, LIP, size)
        theirs = released_sampling.apply(record, transform, LIP, size)

        # Whole pixels in the cut, corners instead of centers in the scale.
        is_near = np.abs(ours.keypoints_xy - theirs.keypoints_xy) < 2
        self.assertTrue(is_near.all())
        self.assertGreater(np.mean(ours.label_map == theirs.label_map), 0.85)

    def test_a_record_may_lack_labels_and_pose(self):
        record = block_record()
        bare = Record(record.record_id, record.image_bytes)

        sample = released_sampling.apply(
            bare, Transform(1.0, 10.0, is_mirrored=True), LIP, (64, 64)
        )

        self.assertIsNone(sample.label_map)
        self.assertIsNone(sample.keypoints_xy)
        self.assertEqual(sample.image.shape, (64, 64, 3))

    @parameterized.parameters(((2, 1000),), ((1500, 1),), ((1, 1),))
    def test_a_strip_is_a_sample(self, size):
        record = sample_records.make_record(size=size)

        for degrees in (0.0, 25.0, -40.0):
            sample = released_sampling.apply(
                record, Transform(0.5, degrees), LIP, (64, 96)
            )

            self.assertEqual(sample.image.shape, (64, 96, 3))
            self.assertEqual(sample.label_map.shape, (64, 96))

    def test_a_far_crop_is_empty(self):
        record = block_record()

        sample = released_sampling.apply(
            record, Transform(0.5, 0.0, (3.0, 0.0)), LIP, (64, 64)
        )

        self.assertEqual(set(np.unique(sample.label_map)), {255})
        self.assertEqual(set(np.unique(sample.image)), {128})

    def test_without_opencv_one_line_says_how_to_get_it(self):
        with mock.patch.dict(sys.modules, {"cv2": None}):
            with self.assertRaisesRegex(UserError, r"nppnet_tf\[released\]"):
                released_sampling.apply(block_record(), Transform(), LIP, _SIZE)


if __name__ == "__main__":
    absltest.main()

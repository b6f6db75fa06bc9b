"""Tests of nppnet_tf.data.samples.augmentation."""

import dataclasses

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import InputConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import random_streams
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from tests.data import sample_records

_SIZE = (96, 64)


def _marked_record(point_xy):
    """A black picture with one white spot of 3 x 3, label and joints on it."""
    x, y = point_xy
    pixels = np.zeros((60, 50, 3), np.uint8)
    labels = np.zeros((60, 50), np.uint8)
    pixels[y - 1 : y + 2, x - 1 : x + 2] = 255
    labels[y - 1 : y + 2, x - 1 : x + 2] = 7
    return Record(
        "marked",
        picture_files.encode_png(pixels),
        labels,
        np.tile(np.float32([x, y]), (16, 1)),
        np.full(16, VISIBLE, np.int32),
    )


class DrawTest(absltest.TestCase):
    def test_draws_cover_their_ranges_and_no_more(self):
        config = InputConfig()
        transforms = [
            augmentation.draw(config, random_streams.generator(1, "test", i))
            for i in range(400)
        ]

        def check(values, low, high):
            self.assertGreaterEqual(min(values), low)
            self.assertLessEqual(max(values), high)
            self.assertLess(min(values), low + 0.02 * (high - low))
            self.assertGreater(max(values), high - 0.02 * (high - low))

        jitter = 40 / 384
        check([t.scale for t in transforms], 0.5, 1.5)
        check([t.rotation_degrees for t in transforms], -40, 40)
        check([t.shift[0] for t in transforms], -jitter, jitter)
        check([t.shift[1] for t in transforms], -jitter, jitter)
        share = np.mean([t.is_mirrored for t in transforms])
        self.assertBetween(share, 0.4, 0.6)

    def test_config_switches_every_draw_off(self):
        config = InputConfig(
            scale_range=(1, 1),
            rotation_degrees=0,
            centre_jitter=0,
            flip_probability=0,
        )

        transform = augmentation.draw(config, np.random.default_rng(0))

        self.assertEqual(transform, Transform())


class ApplyTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("letterbox", Transform()),
        ("scaled", Transform(scale=1.4)),
        ("turned", Transform(rotation_degrees=-37)),
        ("shifted", Transform(shift=(0.1, -0.08))),
        ("mirrored", Transform(is_mirrored=True)),
        ("everything", Transform(0.8, 25, (-0.05, 0.1), True)),
    )
    def test_marked_pixel_and_its_keypoint_land_together(self, transform):
        record = _marked_record((30, 22))

        sample = augmentation.apply(record, transform, LIP, _SIZE)

        bright = sample.image[..., 0].astype(np.float64)
        bright[sample.label_map == 255] = 0
        rows, columns = np.indices(_SIZE)
        center = [
            (columns * bright).sum() / bright.sum(),
            (rows * bright).sum() / bright.sum(),
        ]
        labeled = np.argwhere(sample.label_map == 7).mean(axis=0)[::-1]
        np.testing.assert_allclose(sample.keypoints_xy[0], center, atol=0.15)
        np.testing.assert_allclose(sample.keypoints_xy[0], labeled, atol=0.4)

    def test_labels_are_never_interpolated(self):
        labels = np.random.default_rng(0).choice(np.uint8([0, 7]), (60, 50))
        record = dataclasses.replace(_marked_record((30, 22)), label_map=labels)

        for seed in range(10):
            transform = augmentation.draw(
                InputConfig(), np.random.default_rng(seed)
            )
            sample = augmentation.apply(record, transform, LIP, _SIZE)
            self.assertLessEqual(set(np.unique(sample.label_map)), {0, 7, 255})

    def test_mirror_classes_and_keypoints_swap(self):
        labels = np.zeros((64, 64), np.uint8)
        labels[:, :32] = LIP.classes.index("Left-arm")
        labels[:, 32:] = LIP.classes.index("Hat")
        left, right = LIP.keypoint_indices(("left_wrist", "right_wrist"))
        keypoints_xy = np.zeros((16, 2), np.float32)
        keypoints_xy[left] = (10, 20)
        visibility = np.zeros(16, np.int32)
        visibility[left] = VISIBLE
        pixels = picture_files.encode_png(np.zeros((64, 64, 3), np.uint8))
        record = Record("sides", pixels, labels, keypoints_xy, visibility)

        sample = augmentation.apply(
            record, Transform(is_mirrored=True), LIP, (64, 64)
        )

        hat, arm = LIP.class_indices(("Hat", "Right-arm"))
        self.assertEqual(set(sample.label_map[:, :32].ravel()), {hat})
        self.assertEqual(set(sample.label_map[:, 32:].ravel()), {arm})
        self.assertEqual(sample.visibility[left], 0)
        self.assertEqual(sample.visibility[right], VISIBLE)
        np.testing.assert_allclose(sample.keypoints_xy[right], [53, 20])
        np.testing.assert_allclose(sample.keypoints_xy[left], [0, 0])

    def test_mirroring_twice_is_the_identity(self):
        record = sample_records.make_record(1, (64, 64))
        mirror = Transform(is_mirrored=True)

        once = augmentation.apply(record, mirror, LIP, (64, 64))
        again = Record(
            "again",
            picture_files.encode_png(once.image),
            once.label_map,
            once.keypoints_xy,
            once.visibility,
        )
        twice = augmentation.apply(again, mirror, LIP, (64, 64))

        np.testing.assert_array_equal(
            twice.image, picture_files.decode(record.image_bytes)
        )
        np.testing.assert_array_equal(twice.label_map, record.label_map)
        np.testing.assert_allclose(
            twice.keypoints_xy, record.keypoints_xy, atol=1e-4
        )
        np.testing.assert_array_equal(twice.visibility, record.visibility)

    def test_keypoint_outside_of_the_input_keeps_its_visibility(self):
        record = _marked_record((2, 2))

        sample = augmentation.apply(record, Transform(scale=1.5), LIP, _SIZE)

        self.assertLess(sample.keypoints_xy[0, 0], 0)
        self.assertEqual(sample.visibility[0], VISIBLE)

    def test_record_may_lack_labels_or_pose(self):
        record = sample_records.make_record(
            with_label_map=False, with_pose=False
        )

        sample = augmentation.apply(record, Transform(), LIP, _SIZE)

        self.assertIsNone(sample.label_map)
        self.assertIsNone(sample.keypoints_xy)
        self.assertIsNone(sample.visibility)

    def test_label_map_of_another_size_is_refused(self):
        record = dataclasses.replace(
            _marked_record((30, 22)), label_map=np.zeros((50, 60), np.uint8)
        )

        with self.assertRaisesRegex(UserError, "60 x 50.*found: 50 x 60"):
            augmentation.apply(record, Transform(), LIP, _SIZE)


if __name__ == "__main__":
    absltest.main()

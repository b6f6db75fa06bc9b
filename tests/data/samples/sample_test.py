"""Tests of nppnet_tf.data.samples.sample."""

import dataclasses

import numpy as np
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.config import InputConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.samples import augmentation
from nppnet_tf.data.samples import boundary
from nppnet_tf.data.samples import heatmap_encoder
from nppnet_tf.data.samples import sample
from nppnet_tf.data.samples.augmentation import Transform
from tests.data import sample_records

_CONFIG = InputConfig(image_size=(32, 32), batch_size=2, heatmap_sigma=2.0)


class AugmentedSampleTest(absltest.TestCase):
    def test_targets_are_those_of_the_one_drawn_transform(self):
        record = sample_records.make_record(0, (32, 32))
        transform = Transform(0.9, 20, (0.05, 0), True)

        made = sample.augmented_sample(record, transform, LIP, _CONFIG)

        moved = augmentation.apply(record, transform, LIP, (32, 32))
        np.testing.assert_array_equal(made[keys.IMAGE], moved.image)
        np.testing.assert_array_equal(made[keys.LABEL_MAP], moved.label_map)
        np.testing.assert_array_equal(
            made[keys.BOUNDARY_MAP], boundary.boundary_map(moved.label_map)
        )
        for name, sigma in (
            (keys.HEATMAPS, 2.0),
            (keys.AUXILIARY_HEATMAPS, 4.0),
        ):
            np.testing.assert_array_equal(
                made[name],
                heatmap_encoder.encode(
                    moved.keypoints_xy, moved.visibility, (32, 32), 4, sigma
                ),
            )

    def test_every_ignore_label_becomes_the_one_of_losses(self):
        record = sample_records.make_record(0, (32, 32))
        label_map = np.zeros_like(record.label_map)
        label_map[:, ::2] = 200
        record = dataclasses.replace(record, label_map=label_map)
        descriptor = dataclasses.replace(LIP, ignore_label=200)
        transform = Transform(1.0, 30, (0.0, 0.0), False)

        made = sample.augmented_sample(record, transform, descriptor, _CONFIG)

        # Also what the rotation has brought in from outside.
        moved = augmentation.apply(record, transform, descriptor, (32, 32))
        np.testing.assert_array_equal(
            made[keys.LABEL_MAP] == 255, moved.label_map == 200
        )
        self.assertGreater((made[keys.LABEL_MAP] == 255).mean(), 0.4)
        self.assertNotIn(200, made[keys.LABEL_MAP])
        self.assertNotIn(200, made[keys.BOUNDARY_MAP])

    def test_what_a_record_lacks_is_as_in_an_empty_sample(self):
        empty = sample.empty_sample(LIP, _CONFIG)
        of_pose = {
            keys.HEATMAPS,
            keys.AUXILIARY_HEATMAPS,
            keys.KEYPOINTS_XY,
            keys.VISIBILITY,
            keys.HAS_KEYPOINTS,
        }
        of_parsing = {keys.LABEL_MAP, keys.BOUNDARY_MAP, keys.HAS_LABEL_MAP}
        for lacking, options in (
            (of_parsing, {"with_label_map": False}),
            (of_pose, {"with_pose": False}),
        ):
            record = sample_records.make_record(0, (32, 32), **options)

            made = sample.augmented_sample(record, Transform(), LIP, _CONFIG)

            self.assertEqual(list(made), list(empty))
            for name, value in made.items():
                is_same = np.array_equal(value, empty[name])
                self.assertEqual(is_same, name in lacking, name)


if __name__ == "__main__":
    absltest.main()

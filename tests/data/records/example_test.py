"""Tests of nppnet_tf.data.records.example."""

import dataclasses

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.record import Crop
from nppnet_tf.data.records import example
from nppnet_tf.errors import UserError
from tests.data import sample_records


class ExampleTest(parameterized.TestCase):
    @parameterized.product(
        with_label_map=(True, False), with_pose=(True, False)
    )
    def test_round_trip(self, with_label_map, with_pose):
        record = sample_records.make_record(
            with_label_map=with_label_map, with_pose=with_pose
        )

        serialized = example.to_example(record)

        found = example.from_example(serialized)
        sample_records.assert_same(self, found, record)
        self.assertEqual(serialized, example.to_example(record))

    def test_round_trip_of_a_record_cut_out_of_a_picture(self):
        record = dataclasses.replace(
            sample_records.make_record(),
            crop=Crop("picture é", (3, 4, 27, 44), (50, 30), 0.25),
        )

        found = example.from_example(example.to_example(record))

        sample_records.assert_same(self, found, record)

    def test_whole_pictures_are_written_as_before_there_were_crops(self):
        written = tf.train.Example.FromString(
            example.to_example(sample_records.make_record())
        )

        self.assertEqual(
            sorted(written.features.feature),
            [
                "image/encoded",
                "image/height",
                "image/width",
                "keypoints/visibility",
                "keypoints/xy",
                "label_map/encoded",
                "record_id",
            ],
        )

    @parameterized.parameters(
        "record_id", "image/encoded", "label_map/encoded", "keypoints/xy",
        "crop/box", "crop/picture_size", "crop/score",
    )  # fmt: skip
    def test_features_of_another_form_are_refused(self, name):
        record = dataclasses.replace(
            sample_records.make_record(),
            crop=Crop("picture", (3, 4, 27, 44), (50, 30), 0.25),
        )
        whole = example.to_example(record)

        for feature in (
            tf.train.Feature(),
            tf.train.Feature(bytes_list={"value": [b"\xff"]}),
            tf.train.Feature(float_list={"value": [1.0]}),
            tf.train.Feature(int64_list={"value": [1] * 5}),
        ):
            changed = tf.train.Example.FromString(whole)
            changed.features.feature[name].CopyFrom(feature)
            try:
                example.from_example(changed.SerializeToString())
            except UserError as error:
                self.assertRegex(str(error), "another form|label map|picture")

    def test_other_examples_are_refused(self):
        with self.assertRaisesRegex(UserError, "Example lacks features"):
            example.from_example(tf.train.Example().SerializeToString())
        with self.assertRaisesRegex(UserError, "not an Example"):
            example.from_example(b"\xff\xff\xff")


if __name__ == "__main__":
    absltest.main()

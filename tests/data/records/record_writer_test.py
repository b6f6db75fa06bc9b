"""Tests of nppnet_tf.data.records.record_writer."""

import dataclasses
import pathlib
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import example
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from tests.data import sample_records


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class WriteRecordsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"

    def test_records_come_back_in_order(self):
        records = sample_records.make_records(7)

        record_set = record_writer.write_records(records, self.folder, LIP, 3)

        self.assertEqual(record_set.count, 7)
        self.assertEqual(record_set.ids, tuple(r.record_id for r in records))
        self.assertEqual(record_set.descriptor, LIP)
        for found, wanted in zip(record_set, records, strict=True):
            sample_records.assert_same(self, found, wanted)

    def test_shards_are_plain_tfrecord_files(self):
        records = sample_records.make_records(5)
        record_writer.write_records(records, self.folder, LIP, 2)

        paths = sorted(str(path) for path in self.folder.glob("*.tfrecord"))
        serialized = list(tf.data.TFRecordDataset(paths).as_numpy_iterator())

        self.assertEqual(
            serialized, [example.to_example(record) for record in records]
        )

    def test_manifest_counts(self):
        records = [
            sample_records.make_record(0),
            sample_records.make_record(1, with_pose=False),
            sample_records.make_record(2, with_label_map=False),
        ]

        manifest = record_writer.write_records(
            records, self.folder, LIP, facts={"split": "train"}
        ).manifest

        self.assertEqual(manifest["num_records"], 3)
        self.assertEqual(manifest["num_label_maps"], 2)
        self.assertEqual(manifest["num_poses"], 2)
        self.assertEqual(manifest["split"], "train")

    def test_same_records_give_the_same_bytes(self):
        other = self.folder.with_name("other")
        for folder in (self.folder, other):
            record_writer.write_records(
                sample_records.make_records(5), folder, LIP, 2
            )

        self.assertEqual(_content(self.folder), _content(other))

    def test_damaged_records_are_left_out_and_listed(self):
        records = sample_records.make_records(4)
        records[1] = dataclasses.replace(records[1], image_bytes=b"torn")

        record_set = record_writer.write_records(
            records, self.folder, LIP, 2, max_bad_records=1
        )

        self.assertEqual(record_set.ids, ("id_000", "id_002", "id_003"))
        self.assertEqual(record_set.manifest["num_skipped"], 1)
        self.assertRegex(
            (self.folder / "skipped.txt").read_text(),
            r"^id_001\tpicture is neither JPEG nor PNG.*\n$",
        )

    def test_too_many_damaged_records_leave_nothing_behind(self):
        records = sample_records.make_records(4)
        records[2] = dataclasses.replace(records[2], image_bytes=b"torn")

        with self.assertRaisesRegex(UserError, "damaged record.*id_002"):
            record_writer.write_records(records, self.folder, LIP)

        self.assertEmpty(list(self.folder.parent.iterdir()))

    def test_id_that_occurs_twice_is_damage(self):
        records = sample_records.make_records(1) * 2

        with self.assertRaisesRegex(UserError, "id_000: its id occurs twice"):
            record_writer.write_records(records, self.folder, LIP)

    def test_folder_that_is_there_is_left_alone(self):
        self.folder.mkdir()

        with self.assertRaisesRegex(UserError, "already there"):
            record_writer.write_records(
                sample_records.make_records(1), self.folder, LIP
            )

    def test_full_disk_is_an_error_of_the_system_and_leaves_nothing(self):
        full = tf.errors.ResourceExhaustedError(
            None, None, "x.tfrecord; No space left on device"
        )

        with mock.patch.object(tf.io.TFRecordWriter, "write", side_effect=full):
            with self.assertRaisesRegex(OSError, "No space left on device"):
                record_writer.write_records(
                    sample_records.make_records(1), self.folder, LIP
                )

        self.assertEmpty(list(self.folder.parent.iterdir()))

    def test_nothing_to_write_is_told(self):
        with self.assertRaisesRegex(UserError, "no records to write"):
            record_writer.write_records([], self.folder, LIP)


if __name__ == "__main__":
    absltest.main()

"""Tests of nppnet_tf.data.tfrecord."""

import dataclasses
import json
import pathlib
from unittest import mock

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import example
from nppnet_tf.data import tfrecord
from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.tfrecord import RecordSet
from nppnet_tf.errors import UserError
from tests.data import sample_records
from tests.data.sample_records import flip_byte


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class _RecordsTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"


class WriteRecordsTest(_RecordsTestCase):
    def test_records_come_back_in_order(self):
        records = sample_records.make_records(7)

        record_set = tfrecord.write_records(records, self.folder, LIP, 3)

        self.assertEqual(record_set.count, 7)
        self.assertEqual(record_set.ids, tuple(r.record_id for r in records))
        self.assertEqual(record_set.descriptor, LIP)
        for found, wanted in zip(record_set, records, strict=True):
            sample_records.assert_same(self, found, wanted)

    def test_shards_are_plain_tfrecord_files(self):
        records = sample_records.make_records(5)
        tfrecord.write_records(records, self.folder, LIP, 2)

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

        manifest = tfrecord.write_records(
            records, self.folder, LIP, facts={"split": "train"}
        ).manifest

        self.assertEqual(manifest["num_records"], 3)
        self.assertEqual(manifest["num_label_maps"], 2)
        self.assertEqual(manifest["num_poses"], 2)
        self.assertEqual(manifest["split"], "train")

    def test_same_records_give_the_same_bytes(self):
        other = self.folder.with_name("other")
        for folder in (self.folder, other):
            tfrecord.write_records(
                sample_records.make_records(5), folder, LIP, 2
            )

        self.assertEqual(_content(self.folder), _content(other))

    def test_damaged_records_are_left_out_and_listed(self):
        records = sample_records.make_records(4)
        records[1] = dataclasses.replace(records[1], image_bytes=b"torn")

        record_set = tfrecord.write_records(
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
            tfrecord.write_records(records, self.folder, LIP)

        self.assertEmpty(list(self.folder.parent.iterdir()))

    def test_id_that_occurs_twice_is_damage(self):
        records = sample_records.make_records(1) * 2

        with self.assertRaisesRegex(UserError, "id_000: its id occurs twice"):
            tfrecord.write_records(records, self.folder, LIP)

    def test_folder_that_is_there_is_left_alone(self):
        self.folder.mkdir()

        with self.assertRaisesRegex(UserError, "already there"):
            tfrecord.write_records(
                sample_records.make_records(1), self.folder, LIP
            )

    def test_full_disk_is_an_error_of_the_system_and_leaves_nothing(self):
        full = tf.errors.ResourceExhaustedError(
            None, None, "x.tfrecord; No space left on device"
        )

        with mock.patch.object(tf.io.TFRecordWriter, "write", side_effect=full):
            with self.assertRaisesRegex(OSError, "No space left on device"):
                tfrecord.write_records(
                    sample_records.make_records(1), self.folder, LIP
                )

        self.assertEmpty(list(self.folder.parent.iterdir()))

    def test_nothing_to_write_is_told(self):
        with self.assertRaisesRegex(UserError, "no records to write"):
            tfrecord.write_records([], self.folder, LIP)


class RecordSetTest(_RecordsTestCase):
    def setUp(self):
        super().setUp()
        tfrecord.write_records(
            sample_records.make_records(6), self.folder, LIP, 2
        )
        self.shard = self.folder / "records-00000-of-00002.tfrecord"

    def test_damaged_record_is_named_and_the_others_are_read(self):
        flip_byte(self.shard, 100)

        record_set = RecordSet.open(self.folder, max_bad_records=1)

        self.assertLen(list(record_set), 5)
        (bad,) = record_set.damage.bad_records
        self.assertEqual(bad.record_id, "id_000")
        self.assertRegex(str(bad), "checksum differs.*records-00000-of-00002")

    def test_damaged_record_stops_where_none_may_be_skipped(self):
        flip_byte(self.shard, 100)
        record_set = RecordSet.open(self.folder)

        with self.assertRaisesRegex(UserError, "record id_000: checksum"):
            list(record_set)
        with self.assertRaisesRegex(UserError, "record id_000: checksum"):
            record_set.raise_pending()

    def test_truncated_shard_is_told_for_its_records(self):
        self.shard.write_bytes(self.shard.read_bytes()[:-20])
        record_set = RecordSet.open(self.folder)

        record_set.read(0)
        with self.assertRaisesRegex(BadRecordError, "id_002: shard is trunc"):
            record_set.read(2)

    def test_verify_names_the_shard_and_its_records(self):
        record_set = RecordSet.open(self.folder)
        record_set.verify()
        flip_byte(self.shard, 100)

        with self.assertRaisesRegex(
            UserError, r"records-00000-of-00002.tfrecord \(.*: id_000\)"
        ):
            record_set.verify()

    def _rewrite_manifest(self, **changes):
        path = self.folder / "manifest.json"
        manifest = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps(manifest))

    def test_folder_without_manifest_is_told(self):
        (self.folder / "manifest.json").unlink()

        with self.assertRaisesRegex(UserError, "not a folder of records"):
            RecordSet.open(self.folder)

    def test_missing_folder_is_told(self):
        with self.assertRaisesRegex(UserError, "no such folder"):
            RecordSet.open(self.folder / "other")

    def test_other_version_is_told(self):
        self._rewrite_manifest(format_version=99)

        with self.assertRaisesRegex(UserError, "found: .*version 99"):
            RecordSet.open(self.folder)

    @parameterized.parameters("descriptor", "shards", "index")
    def test_malformed_manifest_is_told(self, entry):
        self._rewrite_manifest(**{entry: 3})

        with self.assertRaisesRegex(UserError, "malformed|not a JSON object"):
            RecordSet.open(self.folder)

    def test_manifest_that_is_no_json_is_told(self):
        (self.folder / "manifest.json").write_text("{")

        with self.assertRaisesRegex(UserError, "manifest is malformed"):
            RecordSet.open(self.folder)

    def test_changed_index_is_told(self):
        flip_byte(self.folder / "index.jsonl", 3)

        with self.assertRaisesRegex(UserError, "index differs"):
            RecordSet.open(self.folder)

    def test_missing_shard_is_told(self):
        self.shard.unlink()

        with self.assertRaisesRegex(UserError, "file is missing.*00000"):
            RecordSet.open(self.folder)


if __name__ == "__main__":
    absltest.main()

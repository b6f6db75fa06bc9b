"""Tests of nppnet_tf.data.records.tfrecord."""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
from unittest import mock

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import example
from nppnet_tf.data.records import tfrecord
from nppnet_tf.data.records.tfrecord import RecordSet
from nppnet_tf.errors import UserError
from tests import wrong_kinds
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

        with self.assertRaisesRegex(UserError, "found: .* 99"):
            RecordSet.open(self.folder)

    def test_changed_manifest_is_told(self):
        self._rewrite_manifest(num_poses=5)

        with self.assertRaisesRegex(UserError, "manifest was changed"):
            RecordSet.open(self.folder)

    def test_manifest_of_before_they_were_sealed_is_read(self):
        self._unseal()

        self.assertLen(list(RecordSet.open(self.folder)), 6)

    def _unseal(self, **changes):
        path = self.folder / "manifest.json"
        manifest = {**json.loads(path.read_text()), **changes}
        manifest.pop("sha256", None)
        path.write_text(json.dumps(manifest))

    @parameterized.parameters("descriptor", "shards", "index")
    def test_malformed_manifest_is_told(self, entry):
        self._unseal(**{entry: 3})

        with self.assertRaisesRegex(UserError, f"{entry} is not a.*manifest"):
            RecordSet.open(self.folder)

    @parameterized.parameters("../x", "/etc/passwd", "a/b", "..", "", "a\0b")
    def test_shard_that_lies_elsewhere_is_told(self, name):
        self._unseal(shards=[{"name": name, "sha256": "", "num_bytes": 1}])

        with self.assertRaisesRegex(UserError, "shard lies elsewhere"):
            RecordSet.open(self.folder)

    def test_parts_of_any_kind_are_read_or_told(self):
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text())
        del manifest["sha256"], manifest["descriptor"]["split_sizes"]

        for what, changed in wrong_kinds.documents(manifest):
            path.write_text(json.dumps(changed))
            with self.subTest(what), contextlib.suppress(UserError):
                list(RecordSet.open(self.folder))

    @parameterized.named_parameters(
        ("no_json", "{", "not JSON.*manifest.json"),
        ("deep", "[" * 100000, "nested too deeply.*manifest.json"),
        ("no_object", "[1]", "the manifest is not an object"),
    )
    def test_manifest_that_is_none_is_told(self, text, message):
        (self.folder / "manifest.json").write_text(text)

        with self.assertRaisesRegex(UserError, message):
            RecordSet.open(self.folder)

    def _write_index(self, lines):
        text = "".join(f"{line}\n" for line in lines)
        (self.folder / "index.jsonl").write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._unseal(index={"sha256": digest})

    @parameterized.named_parameters(
        ("shard", [99, 0, 9, 9, "a"]),
        ("no_shard", [-1, 0, 9, 9, "a"]),
        ("length", [0, 0, -20, 9, "a"]),
        ("no_length", [0, 0, 0, 9, "a"]),
        ("offset", [0, -5, 9, 9, "a"]),
        ("fraction", [0, 0, 9.5, 9, "a"]),
        ("truth", [True, 0, 9, 9, "a"]),
        ("name", [0, 0, 9, 9, 7]),
        ("short", [0, 0, 9, 9]),
        ("null", None),
        ("text", "abcde"),
    )
    def test_malformed_index_is_told_with_its_line(self, entry):
        lines = (self.folder / "index.jsonl").read_text().splitlines()
        lines[1] = json.dumps(entry)
        self._write_index(lines)

        with self.assertRaisesRegex(
            UserError, "index is malformed.*index.jsonl line 2"
        ):
            RecordSet.open(self.folder)

    def test_record_that_claims_terabytes_is_damaged(self):
        lines = (self.folder / "index.jsonl").read_text().splitlines()
        entry = json.loads(lines[0])
        entry[1:3] = 1 << 62, 1 << 62
        self._write_index([json.dumps(entry), *lines[1:]])
        record_set = RecordSet.open(self.folder)

        with self.assertRaisesRegex(BadRecordError, "id_000: shard is trunc"):
            record_set.read(0)
        record_set.read(1)

    def test_index_of_another_number_of_records_is_told(self):
        lines = (self.folder / "index.jsonl").read_text().splitlines()
        self._write_index(lines[1:])

        with self.assertRaisesRegex(UserError, "another number.*6; found: 5"):
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

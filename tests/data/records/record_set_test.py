"""Tests of nppnet_tf.data.records.record_set."""

import contextlib
import hashlib
import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.errors import UserError
from tests import wrong_kinds
from tests.data import sample_records
from tests.data.sample_records import flip_byte


class RecordSetTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        record_writer.write_records(
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

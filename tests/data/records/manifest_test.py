"""Tests of nppnet_tf.data.records.manifest."""

import hashlib
import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import manifest
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from tests import shared

_INDEX = b'[0, 0, 10, 5, "a"]\n'


class ManifestTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.document = {
            "format": manifest.FORMAT,
            "format_version": manifest.FORMAT_VERSION,
            "num_records": 1,
            "num_label_maps": 1,
            "num_poses": 0,
            "num_skipped": 0,
            "num_notes": 0,
            "descriptor": json.loads(LIP.to_json()),
            "index": {"sha256": hashlib.sha256(_INDEX).hexdigest()},
            "shards": [{"name": "only.tfrecord", "sha256": "0"}],
        }
        self._write(**self.document)
        (self.folder / manifest.INDEX).write_bytes(_INDEX)
        (self.folder / "only.tfrecord").touch()

    def _write(self, **document):
        (self.folder / manifest.MANIFEST).write_text(
            json.dumps(json_documents.sealed(document))
        )

    def _assert_refused(self, message):
        with self.assertRaisesRegex(UserError, message):
            manifest.read(self.folder)

    def test_a_sound_folder_is_read(self):
        found = manifest.read(self.folder)

        self.assertEqual(found.document, self.document)
        self.assertEqual(found.descriptor, LIP)
        self.assertEqual(found.index, _INDEX)

    @parameterized.named_parameters(
        ("manifest", manifest.MANIFEST, "not a folder of records"),
        ("index", manifest.INDEX, "file is missing; where: .*index.jsonl"),
        ("shard", "only.tfrecord", "file is missing; where: .*only.tfrecord"),
    )
    def test_a_missing_file_is_named(self, name, message):
        (self.folder / name).unlink()

        self._assert_refused(message)

    @parameterized.named_parameters(
        ("version", {"format_version": 2}, "manifest of another format"),
        ("count", {"num_poses": -1}, "num_poses is negative"),
        ("kind", {"shards": 5}, "shards is not a list"),
        ("place", {"shards": [{"name": "../a", "sha256": ""}]}, "elsewhere"),
        ("descriptor", {"descriptor": {}}, "descriptor does not fit"),
        ("index", {"index": {"sha256": "0"}}, "index differs"),
    )
    def test_what_is_wrong_in_it_is_told(self, changes, message):
        self._write(**self.document | changes)

        self._assert_refused(message)

    def test_a_change_is_seen(self):
        path = self.folder / manifest.MANIFEST
        path.write_text(
            path.read_text().replace('"num_poses": 0', '"num_poses": 1')
        )

        self._assert_refused("manifest was changed or damaged")

    def test_it_is_read_without_tensorflow(self):
        shared.run_program(
            "import sys; from nppnet_tf.data.records import manifest; "
            f"manifest.read({str(self.folder)!r}); "
            "sys.exit('tensorflow' in sys.modules)"
        )


if __name__ == "__main__":
    absltest.main()

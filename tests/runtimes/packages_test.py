"""Tests of runtimes.packages."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import table
from tests.runtimes import toy_form


class PackagesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _entry(self, file):
        path = file.with_name(packages.DESCRIPTION_FILE)
        return json_documents.read(path)["runtime"]

    def test_what_is_no_model_is_not_found(self):
        (self.folder / "model.txt").touch()

        for path in ("", "model.txt", "absent.onnx"):
            self.assertIsNone(packages.find(self.folder / path))

    @parameterized.parameters(*table.RUNTIMES)
    def test_a_file_cut_short_is_refused_before_it_is_opened(self, name):
        file = toy_form.write(self.folder, name)
        entry = self._entry(file)
        for path in (self.folder / each for each in entry["files"]):
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])

            with self.assertRaisesRegex(UserError, "changed or damaged"):
                packages.load(packages.find(file), entry)
            path.unlink()
            with self.assertRaisesRegex(UserError, "model is not whole"):
                packages.load(
                    packages.Package(table.RUNTIMES[name], file), entry
                )
            path.write_bytes(whole)

    def test_a_file_of_another_name_is_the_same_model(self):
        file = toy_form.write(self.folder, "onnx")
        file = file.rename(file.with_name("people.onnx"))

        network = packages.load(packages.find(file), self._entry(file))

        self.assertNotEmpty(network(toy_form.inputs()[0]))

    def test_a_described_file_that_is_no_model_is_one_line(self):
        file = toy_form.write(self.folder, "onnx")
        file.write_bytes(b"no model")
        entry = self._entry(file)
        entry["files"] = dict.fromkeys(
            entry["files"], packages.file_digests.sha256(file)
        )

        with self.assertRaisesRegex(UserError, "model cannot be loaded"):
            packages.load(packages.find(file), entry)

    def test_a_description_of_something_else_is_refused(self):
        file = toy_form.write(self.folder, "onnx")
        others = (None, 3, {}, {"files": {}}, {"format": "litert", "files": {}})

        for entry in (*others, {"format": "onnx", "files": {}}):
            with self.assertRaisesRegex(UserError, "description is of another"):
                packages.load(packages.find(file), entry)

    def test_several_scales_are_refused(self):
        packages.require_one_scale((1.0,), "onnx")

        with self.assertRaisesRegex(UserError, "one size.*`scales`.*0.5,1"):
            packages.require_one_scale((0.5, 1.0), "onnx")


if __name__ == "__main__":
    absltest.main()

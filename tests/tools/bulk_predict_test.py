"""Tests of tools.bulk_predict: what is wrong before a pipeline begins."""

import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.bulk import inputs
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.inference import stand_in
from tests.runtimes import toy_form


class BulkPredictTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        cls.model = toy_form.write(cls.folder / "model", "onnx")
        (cls.folder / "in/deep").mkdir(parents=True)
        picture = picture_files.encode_png(stand_in.picture(30, 20))
        for name in ("in/a.png", "in/deep/b.PNG"):
            (cls.folder / name).write_bytes(picture)
        (cls.folder / "in/notes.txt").touch()

    def setUp(self):
        super().setUp()
        self.output = pathlib.Path(self.create_tempdir().full_path) / "out"

    def _predict(self, *arguments, model=None):
        return shared.run_tool(
            "bulk_predict",
            f"--model={model or self.model}",
            f"--output={self.output}",
            *arguments,
        )

    def _assert_refused(self, result, message):
        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)

    def test_a_pattern_means_the_pictures_of_all_folders(self):
        pattern = self.folder / "in/**/*"

        found = inputs.find([str(pattern), str(self.folder / "in/a.png")])

        names = [pathlib.Path(path).name for path in found]
        self.assertEqual(names, ["a.png", "b.PNG"])

    def test_pictures_of_a_list_are_predicted(self):
        paths = self.folder / "list.txt"
        paths.write_text("".join(f"{p}\n" for p in (self.folder / "in/a.png",)))

        result = self._predict(f"--input_list={paths}", "--format=png")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("1 pictures predicted, 0 dead letters", result.stdout)
        folder = self.output / "predictions-00000-of-00001"
        self.assertTrue((folder / "000000000-a.png").is_file())

    @parameterized.named_parameters(
        ("nothing", [], "found: 0 of them"),
        ("both", ["a.png", "--input_records=a"], "found: 2 of them"),
        ("no_picture", ["absent*.png"], "no pictures; where: absent*.png"),
        ("no_records", ["--input_records=absent-*"], "no files"),
        ("runner", ["a.png", "--runner=cloud"], "runner"),
        (
            "options",
            ["a.png", "--pipeline_options=--flunk=1"],
            "where: --pipeline_options=--flunk=1",
        ),
        (
            "workers",
            ["a.png", "--runner=spark", "--workers=2"],
            "where: --workers=2; expected: --pipeline_options",
        ),
    )
    def test_wrong_flags_are_one_line(self, arguments, message):
        self._assert_refused(self._predict(*arguments), message)
        self.assertFalse(self.output.exists())

    def test_a_model_cut_short_is_one_line(self):
        file = toy_form.write(self.folder / "cut", "onnx")
        file.write_bytes(file.read_bytes()[:500])

        result = self._predict(self.folder / "in", model=file)

        self._assert_refused(result, "model was changed or damaged")
        self.assertFalse(self.output.exists())

    def test_without_beam_it_says_what_to_install(self):
        with mock.patch("importlib.util.find_spec", return_value=None):
            result = self._predict("a.png")

        self._assert_refused(result, "pip install 'nppnet_tf[beam]'")


if __name__ == "__main__":
    absltest.main()

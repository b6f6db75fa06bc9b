"""Tests of nppnet_tf.inference.model_folders."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_folders


class NewVersionTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "people" / "3").mkdir(parents=True)
        (self.folder / "people" / "notes").mkdir()
        (self.folder / "people" / "\u0664").mkdir()
        (self.folder / "file").touch()

    @parameterized.parameters(
        ("people", None, "4"), ("people", 2, "2"), ("new", None, "1")
    )
    def test_the_next_version_is_the_default(self, name, version, expected):
        self.assertEqual(
            model_folders.new_version(self.folder, name, version),
            self.folder / name / expected,
        )

    @parameterized.parameters(
        ("people", 3, "version cannot be used.*people.*found: 3"),
        ("people", 0, "version cannot be used"),
        ("people", 1 << 70, "version cannot be used"),
        ("file", None, "wrong name of a model.*file"),
        ("", None, "wrong name of a model; where: `name`"),
        ("a/b", None, "wrong name of a model"),
        ("..", None, "wrong name of a model"),
        ("n" * 101, None, "wrong name of a model"),
        ("models.config", None, "wrong name of a model"),
    )
    def test_what_cannot_be_written_is_told(self, name, version, message):
        with self.assertRaisesRegex(UserError, message):
            model_folders.new_version(self.folder, name, version)


if __name__ == "__main__":
    absltest.main()

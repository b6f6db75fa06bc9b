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


class VersionFoldersTest(absltest.TestCase):
    def test_versions_are_numbers_that_64_bits_hold(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        names = ("10", "9", "007", "0012", "12", "0", "1.5", "-3", "9" * 30)
        for name in (*names, str(2**63), str(2**63 - 1)):
            (folder / name).mkdir()
        (folder / "11").touch()

        found = model_folders.version_folders(folder)

        expected = ("0", "007", "9", "10", "12", str(2**63 - 1))
        self.assertEqual(
            list(found.items()), [(int(n), folder / n) for n in expected]
        )
        self.assertEqual(model_folders.versions_in(folder), list(found))

    def test_what_is_no_folder_has_none(self):
        folder = pathlib.Path(self.create_tempdir().full_path)

        self.assertEqual(model_folders.version_folders(folder / "a"), {})


if __name__ == "__main__":
    absltest.main()

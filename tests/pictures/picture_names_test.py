"""Tests of nppnet_tf.pictures.picture_names."""

import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.pictures import picture_names


class NameTest(parameterized.TestCase):
    @parameterized.parameters(
        "a.jpg", "a.JPG", "a.Jpg", "a.jpeg", "a.JPEG", "a.jpe", "a.jfif"
    )
    def test_every_spelling_of_jpeg_is_read(self, name):
        self.assertTrue(picture_names.is_picture_name(name))
        self.assertFalse(picture_names.is_unsupported_name(name))
        self.assertEqual(picture_names.stem_of(name), "a")

    @parameterized.parameters("a.webp", "a.HEIC", "a.tif", "a.gif", "b/a.bmp")
    def test_pictures_of_other_kinds_are_known(self, name):
        self.assertFalse(picture_names.is_picture_name(name))
        self.assertTrue(picture_names.is_unsupported_name(name))

    @parameterized.parameters("a.txt", "a", "jpg", "a.json", "a.b_0.1")
    def test_other_files_are_no_pictures(self, name):
        self.assertFalse(picture_names.is_picture_name(name))
        self.assertFalse(picture_names.is_unsupported_name(name))
        self.assertEqual(picture_names.stem_of(name), name)


class FolderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _make(self, *names):
        for name in names:
            (self.folder / name).touch()

    def test_pictures_are_found_and_others_are_named(self):
        self._make("b.Jpg", "a.jfif", "._a.jpg", "c.webp", "d.txt", "e.TIFF")
        (self.folder / "f.png").mkdir()
        (self.folder / "g.png").symlink_to(self.folder / "nowhere")

        found = picture_names.pictures_in(self.folder)
        others = picture_names.unsupported_pictures(self.folder)

        self.assertEqual(
            [path.name for path in found], ["a.jfif", "b.Jpg", "g.png"]
        )
        self.assertEqual([path.name for path in others], ["c.webp", "e.TIFF"])
        self.assertEqual(
            picture_names.unsupported_line(others),
            "2 pictures neither JPEG nor PNG by name, not read: c.webp, e.TIFF",
        )

    def test_line_names_some_of_many(self):
        paths = [pathlib.Path(f"{i}.gif") for i in range(7)]

        self.assertEndsWith(
            picture_names.unsupported_line(paths), "4.gif and 2 more"
        )

    def test_folders_of_pictures_are_counted_and_named(self):
        self.assertEqual(picture_names.line_of_folders(self.folder), "")
        for name in ("2024/01", "texts", ".hidden", "out"):
            (self.folder / name).mkdir(parents=True)
        self._make(
            "a.jpg",
            "2024/b.jpg",
            "2024/01/c.png",
            "texts/d.txt",
            ".hidden/e.jpg",
            "out/f.png",
        )
        (self.folder / "loop").symlink_to(self.folder)

        self.assertEndsWith(
            picture_names.line_of_folders(self.folder),
            "folders of the folder, not read: 2024/ (2), out/ (1)",
        )
        self.assertEndsWith(
            picture_names.line_of_folders(
                self.folder, lambda path: path.name == "out"
            ),
            ": 2024/ (2)",
        )

    def test_picture_of_a_stem_is_found(self):
        self._make("a.1.Jpg", "b.png")

        for stem, name in (
            ("a.1", "a.1.Jpg"),
            ("b", "b.png"),
            ("c", "c.jpg"),
        ):
            path = picture_names.find_picture(self.folder, stem)
            self.assertEqual(path.name, name)


if __name__ == "__main__":
    absltest.main()

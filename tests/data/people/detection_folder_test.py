"""Tests of nppnet_tf.data.people.detection_folder."""

import json
import pathlib

from absl.testing import absltest

from nppnet_tf.data.people import detection_folder
from nppnet_tf.errors import UserError

FACTS = {"model_sha256": "ab", "min_score": 0.5}


class DetectionFolderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_facts_are_written_and_the_same_are_taken_again(self):
        detection_folder.keep_facts(self.folder, FACTS)
        detection_folder.keep_facts(self.folder, FACTS)

        text = (self.folder / detection_folder.FACTS).read_text()
        self.assertEqual(
            json.loads(text), {"format": "nppnet_tf.detector", **FACTS}
        )

    def test_other_facts_are_refused_and_nothing_is_changed(self):
        detection_folder.keep_facts(self.folder, FACTS)
        before = (self.folder / detection_folder.FACTS).read_bytes()

        with self.assertRaisesRegex(UserError, "min_score; expected: 0.6"):
            detection_folder.keep_facts(
                self.folder, {**FACTS, "min_score": 0.6}
            )

        after = (self.folder / detection_folder.FACTS).read_bytes()
        self.assertEqual(after, before)

    def test_files_are_replaced_in_a_folder_that_was_begun_alone(self):
        pictures = {"a": pathlib.Path("a.jpg")}
        detection_folder.refuse_foreign_files(pictures, self.folder)
        detection_folder.file_of(self.folder, "a").touch()

        with self.assertRaisesRegex(UserError, "replace what is there"):
            detection_folder.refuse_foreign_files(pictures, self.folder)
        detection_folder.keep_facts(self.folder, FACTS)
        detection_folder.refuse_foreign_files(pictures, self.folder)

    def test_two_pictures_of_one_file_are_refused(self):
        paths = [pathlib.Path("x/a.jpg"), pathlib.Path("y/b.jpg")]

        self.assertEqual(
            detection_folder.by_id(paths), {"a": paths[0], "b": paths[1]}
        )
        with self.assertRaisesRegex(UserError, "two pictures of one name"):
            detection_folder.by_id([*paths, pathlib.Path("z/a.png")])


if __name__ == "__main__":
    absltest.main()

"""Tests of serving.descriptions."""

import dataclasses
import json
import pathlib

from absl.testing import absltest

from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import model_description
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.serving import descriptions


class DocumentTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = path = self.folder / model_description.FILE_NAME
        path.parent.mkdir()
        own = dataclasses.replace(LIP, name="own", skeleton=())
        description = ModelDescription(
            "people", 1, own, (64, 96), "", "", score_threshold=0.25
        )
        path.write_text(description.to_json())

    def test_a_model_has_the_names_of_its_description(self):
        document = _as_read({"people": self.folder})

        (model,) = document["models"]
        self.assertEqual(model["name"], "people")
        self.assertEqual(model["score_threshold"], 0.25)
        self.assertEqual(model["descriptor"]["name"], "own")
        self.assertEqual(model["descriptor"]["skeleton"], [])
        self.assertEqual(model["descriptor"]["classes"], list(LIP.classes))

    def test_a_model_that_nobody_describes_is_left_out(self):
        document = _as_read({"other": self.folder / "none"})

        self.assertEmpty(document["models"])

    def test_a_damaged_description_is_told_and_no_other_is(self):
        folders = {"people": self.folder, "other": self.folder / "none"}
        self.assertEmpty(descriptions.damaged(folders))
        self.path.write_text(self.path.read_text().replace("0.25", "0.75"))

        (line,) = descriptions.damaged(folders)

        self.assertIn(str(self.path), line)

    def test_known_data_sets_are_offered_as_they_are(self):
        document = _as_read({})

        self.assertEqual(
            [each["name"] for each in document["descriptors"]],
            list(descriptors.names()),
        )
        for found in document["descriptors"]:
            expected = descriptors.get(found["name"])
            self.assertLen(found["palette"], len(expected.classes))
            self.assertEqual(
                found["keypoint_classes"],
                {k: list(v) for k, v in expected.keypoint_classes.items()},
            )

    def test_it_says_whether_pictures_go_elsewhere(self):
        for is_passed_on in (True, False):
            document = descriptions.document({}, is_passed_on)

            self.assertEqual(document["is_passed_on"], is_passed_on)


def _as_read(folders):
    return json.loads(json.dumps(descriptions.document(folders)))


if __name__ == "__main__":
    absltest.main()

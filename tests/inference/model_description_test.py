"""Tests of inference.model_description."""

import dataclasses
import json
import pathlib

from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.inference import model_description
from nppnet_tf.inference.model_description import ModelDescription
from tests import schemas
from tests.inference import calibration_test
from tests.inference import stand_in

_DESCRIPTION = ModelDescription(
    name="people",
    version=4,
    descriptor=LIP,
    image_size=(64, 96),
    weights_sha256="0" * 64,
    software_version="1.2",
    scales=(0.5, 1.0),
)


def _unsealed():
    """What a description holds, as an older version would have written it."""
    document = json.loads(_DESCRIPTION.to_json())
    del document[json_documents.SEAL]
    return document


class ModelDescriptionTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = folder / "model.json"

    def test_written_description_is_read_again(self):
        self.path.write_text(_DESCRIPTION.to_json())

        self.assertEqual(ModelDescription.load(self.path), _DESCRIPTION)

    def test_changed_values_are_noticed(self):
        text = _DESCRIPTION.to_json()
        for old, new in (("0.1", "0.2"), ("64", "32"), ('"people"', '"x"')):
            self.assertIn(old, text)
            self.path.write_text(text.replace(old, new, 1))

            with self.assertRaisesRegex(
                UserError, "changed or damaged.*set another `score_threshold`"
            ):
                ModelDescription.load(self.path)

    def test_models_of_others_are_told_from_damaged_ones_of_ours(self):
        self.assertIsNone(model_description.load_own(self.path))
        for text in ("{}", '{"format": "other"}'):
            self.path.write_text(text)
            self.assertIsNone(model_description.load_own(self.path))
        whole = _DESCRIPTION.to_json()
        self.path.write_text(whole)
        self.assertEqual(model_description.load_own(self.path), _DESCRIPTION)
        for text in (
            "",
            "[]",
            whole[:200],
            whole.replace('"nppnet_tf.model"', '"nppnet_tf.mode"'),
            whole.replace('"format"', '"forma"'),
            whole.replace("64", "32", 1),
        ):
            self.path.write_text(text)
            with (
                self.subTest(text[:40]),
                self.assertRaisesRegex(UserError, "model.json"),
            ):
                model_description.load_own(self.path)

    def test_old_descriptions_have_the_usual_threshold(self):
        values = _unsealed()
        self.assertEqual(values.pop("score_threshold"), 0.1)
        self.path.write_text(json.dumps(values))

        self.assertEqual(ModelDescription.load(self.path), _DESCRIPTION)

    def test_files_are_those_within_the_folder(self):
        folder = self.path.parent / "model"
        (folder / "variables").mkdir(parents=True)
        (folder / "assets.extra").mkdir()
        for name in ("saved_model.pb", "variables/index", "assets.extra/card"):
            (folder / name).write_text(name)
        (self.path.parent / "other").write_text("")

        files = model_description.digests(folder)

        self.assertEqual(set(files), {"saved_model.pb", "variables/index"})
        described = dataclasses.replace(_DESCRIPTION, files=files)
        for way in (folder, folder / ".." / "model"):
            model_description.require_files(way, described)
        for name in ("../other", str(self.path.parent / "other"), "variables"):
            described = dataclasses.replace(_DESCRIPTION, files={name: "0"})
            with self.assertRaisesRegex(UserError, "not whole"):
                model_description.require_files(folder, described)

    def test_digests_of_another_form_are_told(self):
        values = _unsealed()
        for files in ([], {"a": 1}, "a"):
            self.path.write_text(json.dumps({**values, "files": files}))

            with self.assertRaisesRegex(UserError, "files.*model.json"):
                ModelDescription.load(self.path)

    def test_calibration_is_read_again(self):
        description = dataclasses.replace(
            _DESCRIPTION,
            score_threshold=0.25,
            calibration=calibration_test.CALIBRATION,
        )
        self.path.write_text(description.to_json())

        self.assertEqual(ModelDescription.load(self.path), description)
        document = json.loads(self.path.read_text())
        self.assertEmpty(schemas.faults(document, "model"))
        document["calibration"]["hits"] = {"scores": [1]}
        self.path.write_text(json.dumps(document))
        with self.assertRaisesRegex(UserError, "model.json"):
            ModelDescription.load(self.path)

    def test_wrong_threshold_is_named(self):
        for value in (2, -1, "0.1", None, float("nan")):
            values = _unsealed()
            values["score_threshold"] = value
            self.path.write_text(json.dumps(values))

            with (
                self.subTest(value),
                self.assertRaisesRegex(UserError, "model.json"),
            ):
                ModelDescription.load(self.path)

    def test_other_files_are_refused(self):
        for text in ("", "[]", "{}", '{"format": "other"}'):
            self.path.write_text(text)

            with (
                self.subTest(text),
                self.assertRaisesRegex(UserError, "model.json"),
            ):
                ModelDescription.load(self.path)

    def test_other_kinds_of_values_are_refused(self):
        whole = _unsealed()
        for name in whole:
            for value in (None, True, -1, 1e9, [], [1], {}, "9" * 5000):
                self.path.write_text(json.dumps({**whole, name: value}))
                with self.subTest(name, value=str(value)[:20]):
                    try:
                        found = ModelDescription.load(self.path)
                    except UserError as error:
                        self.assertIn("model.json", str(error))
                    else:
                        # What is read says the same as what was written.
                        written = json.loads(found.to_json())
                        self.assertEqual(written[name], value)

    def test_documents_that_never_end_are_refused(self):
        for text in ("[" * 100_000, '{"a":' * 100_000):
            self.path.write_text(text)
            with self.assertRaisesRegex(UserError, "model.json"):
                ModelDescription.load(self.path)

    def test_sizes_of_no_input_are_refused(self):
        for value in (64, [64], [64, 0], [64, "32"], [64, 1.5], [10**6, 64]):
            with (
                self.subTest(value),
                self.assertRaisesRegex(
                    UserError, "here.*image_size|image_size"
                ),
            ):
                model_description.checked_size(value, "here")

    def test_description_with_another_descriptor_differs(self):
        other = dataclasses.replace(
            _DESCRIPTION, descriptor=dataclasses.replace(LIP, name="mine")
        )
        self.path.write_text(other.to_json())

        self.assertNotEqual(ModelDescription.load(self.path), _DESCRIPTION)


class WeightsTest(absltest.TestCase):
    def test_hash_depends_on_values_alone(self):
        first = stand_in.StandIn().variables
        second = stand_in.StandIn().variables
        before = model_description.weights_sha256(first)
        self.assertEqual(before, model_description.weights_sha256(second))

        second[0].assign_add(second[0] * 1e-6)

        self.assertNotEqual(before, model_description.weights_sha256(second))


if __name__ == "__main__":
    absltest.main()

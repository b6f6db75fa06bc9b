"""Tests of serving.versions."""

import pathlib
import shutil
import tempfile

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.inference import model_description
from nppnet_tf.serving import failures
from nppnet_tf.serving import model_sources
from nppnet_tf.serving import versions
from nppnet_tf.serving.failures import RequestError
from nppnet_tf.serving.model_sources import ModelSource
from nppnet_tf.serving.versions import ModelStore
from tests.inference import stand_in_models

_BROKEN = "broken"


def _load(name, number, folder):
    text = (folder / "saved_model.pb").read_text()
    if text == _BROKEN:
        raise RuntimeError(f"cannot read {folder}/variables/index")
    return f"{name} {number} {text}"


class ModelStoreTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.models = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.sources = None
        self.said = []
        self.store = ModelStore(self._read, _load, self.said.append)

    def _read(self):
        if self.sources is not None:
            return self.sources
        return model_sources.read(self.models)

    def _write(self, version, text="whole", name="people"):
        folder = self.models / name / str(version)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_text(text)

    def _look(self):
        # Files count as whole once they were seen twice alike.
        self.store.update()
        self.store.update()

    def _states(self, name="people"):
        return {
            number: version.state
            for number, version in self.store.statuses(name).items()
        }

    def _serve(self, **fields):
        self.sources = [ModelSource("people", self.models / "people", **fields)]
        self.store.update(is_first=True)

    def test_a_new_version_takes_over_and_the_old_one_goes(self):
        self._write(1)
        self.store.update(is_first=True)
        held = self.store.find("people")
        self._write(2)
        self._look()

        self.assertEqual(self.store.find("people"), "people 2 whole")
        self.assertEqual(held, "people 1 whole")
        self.assertEqual(self._states(), {2: "AVAILABLE", 1: "END"})
        with self.assertRaisesRegex(RequestError, r"Specific\(people, 1\)"):
            self.store.find("people", 1)

    def test_a_version_is_served_whatever_zeros_its_name_begins_with(self):
        self._write("007")
        self._write("9" * 30)
        self.store.update(is_first=True)

        self.assertEqual(self.store.find("people", 7), "people 7 whole")
        self.assertEqual(self._states(), {7: "AVAILABLE"})
        self.assertEqual(
            self.store.folders(), {"people": self.models / "people" / "007"}
        )

    def test_files_that_are_still_copied_are_waited_for(self):
        self._write(1)
        self.store.update(is_first=True)
        self._write(2, _BROKEN)
        self.store.update()
        self.assertEqual(self._states()[2], "START")
        self._write(2, "whole now")
        self._look()

        self.assertEqual(self.store.find("people"), "people 2 whole now")
        self.assertNotIn("cannot", " ".join(self.said))

    def test_a_broken_version_leaves_the_old_one_serving_and_says_why(self):
        self._write(1)
        self.store.update(is_first=True)
        self._write(2, _BROKEN)
        self._look()

        self.assertEqual(self.store.find("people"), "people 1 whole")
        self.assertEqual(self._states(), {2: "END", 1: "AVAILABLE"})
        message = self.store.statuses("people", 2)[2].message
        self.assertIn("cannot be loaded: cannot read index", message)
        self.assertNotIn(str(self.models), message)
        self.assertLen([line for line in self.said if "cannot" in line], 1)

    def test_a_damaged_description_is_said_and_the_old_version_serves(self):
        versions = self.models / "people"
        for number in "12":
            shutil.copytree(stand_in_models.exported_model(), versions / number)
        path = versions / "2" / model_description.FILE_NAME
        path.write_text(path.read_text().replace("0.1", "0.2", 1))
        store = ModelStore(self._read, say=self.said.append)
        store.update(is_first=True)

        self.assertEqual(store.find("people").version, 1)
        self.assertEqual(
            self.said,
            [
                "people version 2 " + store.statuses("people", 2)[2].message,
                "people version 1 serves",
            ],
        )
        self.assertRegex(
            self.said[0],
            "^people version 2 cannot be loaded: description was changed or "
            "damaged; where: model.json; .*another `score_threshold`",
        )

    def test_a_broken_version_that_was_mended_serves(self):
        self._write(1)
        self._write(2, _BROKEN)
        self.store.update(is_first=True)
        self._write(2, "mended")
        self._look()

        self.assertEqual(self.store.find("people"), "people 2 mended")

    def test_an_older_version_stands_in_from_the_start(self):
        self._write(1)
        self._write(2, _BROKEN)
        self.store.update(is_first=True)

        self.assertEqual(self.store.find("people"), "people 1 whole")

    def test_removing_a_version_goes_back(self):
        self._write(1)
        self._write(2)
        self.store.update(is_first=True)
        self.assertNotIn(1, self._states())
        shutil.rmtree(self.models / "people" / "2")
        self._look()

        self.assertEqual(self.store.find("people"), "people 1 whole")
        self.assertEqual(self._states(), {2: "END", 1: "AVAILABLE"})

    def test_what_is_away_for_a_moment_is_served_on(self):
        self._write(1)
        self.store.update(is_first=True)
        shutil.rmtree(self.models / "people" / "1")
        self._look()
        self.assertEqual(self.store.find("people"), "people 1 whole")

        shutil.rmtree(self.models / "people")
        self._look()
        self.assertEqual(self.store.find("people"), "people 1 whole")
        self.assertIn("models stay as they are", self.said[-1])

    def test_a_model_whose_folder_was_removed_beside_others_goes(self):
        self._write(1)
        self._write(1, name="other")
        self.store.update(is_first=True)
        shutil.rmtree(self.models / "other")
        self._look()

        self.assertEqual(self.store.find("people"), "people 1 whole")
        with self.assertRaisesRegex(RequestError, "Servable not found"):
            self.store.find("other")

    def test_policies_of_versions(self):
        for number in (1, 2, 3):
            self._write(number)
        for fields, expected in (
            ({}, {3}),
            ({"num_latest": 2}, {3, 2}),
            ({"policy": model_sources.ALL}, {3, 2, 1}),
            ({"policy": model_sources.SPECIFIC, "specific": (1, 3)}, {3, 1}),
        ):
            with self.subTest(fields):
                self._serve(**fields)

                available = {
                    number
                    for number, state in self._states().items()
                    if state == versions.AVAILABLE
                }
                self.assertEqual(available, expected)

    def test_labels_lead_to_their_versions(self):
        self._write(1)
        self._write(2)
        labels = {"stable": 1, "canary": 2, "lost": 7}
        self._serve(policy=model_sources.ALL, labels=labels)

        self.assertEqual(
            self.store.find("people", label="stable"), "people 1 whole"
        )
        self.assertEqual(
            self.store.find("people", label="canary"), "people 2 whole"
        )
        self.assertEqual(
            list(self.store.statuses("people", label="canary")), [2]
        )
        for label, code in (
            ("lost", failures.NOT_FOUND),
            ("unheard", failures.INVALID_ARGUMENT),
        ):
            with self.assertRaises(RequestError) as refused:
                self.store.find("people", label=label)
            self.assertEqual(refused.exception.code, code)

    def test_another_configuration_is_taken_and_its_labels_are_checked(self):
        self._write(1)
        self._write(1, name="other")
        self.store.update(is_first=True)
        self.store.replace([ModelSource("other", self.models / "other")])

        self.assertEqual(self.store.find("other"), "other 1 whole")
        with self.assertRaisesRegex(RequestError, "Servable not found"):
            self.store.find("people")
        source = ModelSource(
            "other", self.models / "other", labels={"stable": 9}
        )
        with self.assertRaisesRegex(RequestError, "not currently available"):
            self.store.replace([source])

    def test_a_configuration_that_cannot_be_read_is_said_once(self):
        self._write(1)
        self._serve()

        def read():
            raise UserError("configuration cannot be read")

        self.store._read_sources = read
        self._look()

        self.assertEqual(self.store.find("people"), "people 1 whole")
        self.assertLen([line for line in self.said if "stay" in line], 1)


if __name__ == "__main__":
    absltest.main()

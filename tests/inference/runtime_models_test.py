"""Tests of inference.runtime_models: other runtimes in the one graph."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.inference import predictor as predictors
from nppnet_tf.inference import runtime_models
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.inference.serving_graph import ServingGraph
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import table
from tests.inference import stand_in
from tests.runtimes import toy_form


class RuntimeModelsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        cls.files = {
            name: toy_form.write(folder / name, name) for name in table.RUNTIMES
        }
        cls.picture = stand_in.picture(90, 70)
        cls.plain, cls.mirrored = map(cls._expected, (False, True))

    @classmethod
    def _expected(cls, flip):
        form = toy_form.form()
        graph = ServingGraph(form, [], LIP, toy_form.SIZE, flip)
        predictor = Predictor(
            graph.predict_tensor, toy_form.DESCRIPTION, lambda: graph
        )
        return predictor.predict([cls.picture])[0]

    def _assert_close(self, found, expected):
        agreement = np.mean(found.label_map == expected.label_map)
        self.assertGreater(agreement, 0.999)
        np.testing.assert_allclose(
            found.keypoints_xy, expected.keypoints_xy, atol=1e-2
        )
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)

    @parameterized.parameters(*table.RUNTIMES)
    def test_answers_are_those_of_the_graph(self, name):
        file = self.files[name]

        found = Predictor.from_directory(
            file if name == "onnx" else file.parent
        )

        self._assert_close(found.predict([self.picture])[0], self.plain)
        self.assertEqual(found.description.runtime["format"], name)
        self.assertEqual(predictors.read_descriptor(file), LIP)

    def test_mirrored_inputs_are_averaged_in(self):
        found = Predictor.from_directory(self.files["onnx"], flip=True)

        self.assertTrue(found.description.flip)
        self._assert_close(found.predict([self.picture])[0], self.mirrored)

    def test_several_pictures_are_answered_one_by_one(self):
        file = self.files["onnx"]
        answer, _ = runtime_models.load(packages.find(file))
        images = np.concatenate(toy_form.inputs()[:2])

        both = answer(tf.constant(images))

        for number, image in enumerate(images):
            alone = answer(tf.constant(image[np.newaxis]))
            for name, value in alone.items():
                np.testing.assert_array_equal(both[name][number], value[0])

    def test_other_sizes_are_refused(self):
        with self.assertRaisesRegex(UserError, "inputs of one size"):
            Predictor.from_directory(self.files["onnx"], scales=(0.5, 1.0))

    def test_a_model_without_its_description_is_refused(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        file = toy_form.write(folder, "onnx")
        (folder / "model.json").unlink()

        with self.assertRaisesRegex(UserError, "cannot be described"):
            Predictor.from_directory(file)


if __name__ == "__main__":
    absltest.main()

"""Tests of inference.predictor."""

import dataclasses
import functools
import json
import pathlib
import shutil

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from PIL import Image

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.inference import model_description
from nppnet_tf.inference import predictor
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.pictures import picture_files
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.serving.servable import LoadedModel
from tests.inference import stand_in
from tests.inference import stand_in_models


class PredictorTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = stand_in.StandIn()
        cls.predictor = Predictor.from_network(
            cls.network, LIP, stand_in.IMAGE_SIZE
        )

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_answers_have_the_sizes_of_the_pictures(self):
        pictures = [stand_in.picture(20, 30), stand_in.picture(70, 10)]

        predictions = self.predictor.predict(pictures)

        sizes = [answer.label_map.shape for answer in predictions]
        self.assertEqual(sizes, [(20, 30), (70, 10)])
        for picture, answer in zip(pictures, predictions, strict=True):
            self.assertEqual(answer.label_map.dtype, np.uint8)
            self.assertEqual(answer.keypoints_xy.shape, (16, 2))
            self.assertEqual(answer.scores.shape, (16,))
            self.assertTrue((answer.keypoints_xy >= 0).all())
            limits = np.array(picture.shape[1::-1]) - 1
            self.assertTrue((answer.keypoints_xy <= limits).all())

    def test_file_is_turned_upright(self):
        picture = stand_in.picture(40, 60)
        path = self.folder / "turned.png"
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(picture).save(path, exif=exif)

        answer = self.predictor.predict_file(path)

        expected = self.predictor.predict([np.rot90(picture, -1)])[0]
        np.testing.assert_array_equal(answer.label_map, expected.label_map)

    def test_mirrored_picture_gets_the_mirrored_answer_with_flip(self):
        flipping = Predictor.from_network(
            self.network, LIP, stand_in.IMAGE_SIZE, flip=True
        )
        picture = stand_in.picture(64, 96)

        plain, mirrored = flipping.predict([picture, picture[:, ::-1]])

        classes = np.array(LIP.mirrored_classes)
        expected = classes[plain.label_map[:, ::-1]]
        self.assertGreater(np.mean(mirrored.label_map == expected), 0.999)
        np.testing.assert_allclose(
            mirrored.scores,
            plain.scores[list(LIP.mirrored_keypoints)],
            atol=1e-5,
        )

    def test_large_pictures_are_predicted_as_others(self):
        picture = stand_in.picture(333, 250)
        model = Predictor.from_directory(stand_in_models.exported_model())
        plain = model.predict([picture])[0]

        with absltest.mock.patch.object(predictor, "_MAX_FLOATS", 1000):
            answer = model.predict([picture])[0]

        np.testing.assert_array_equal(answer.label_map, plain.label_map)
        np.testing.assert_allclose(
            answer.keypoints_xy, plain.keypoints_xy, atol=1e-3
        )

    def test_saved_model_averages_as_the_network_does(self):
        options = {"flip": True, "scales": (0.5, 1.0)}
        picture = stand_in.picture(50, 40)

        of_folder = Predictor.from_directory(
            stand_in_models.exported_model().parent, **options
        )
        of_network = Predictor.from_network(
            self.network, LIP, stand_in.IMAGE_SIZE, **options
        )
        answer = of_folder.predict([picture])[0]
        expected = of_network.predict([picture])[0]

        np.testing.assert_array_equal(answer.label_map, expected.label_map)
        np.testing.assert_allclose(answer.scores, expected.scores, atol=1e-6)
        self.assertTrue(of_folder.description.flip)
        self.assertEqual(of_folder.description.scales, (0.5, 1.0))
        self._assert_confidence(of_network, expected, picture)
        self._assert_confidence(of_folder, expected, picture)

    def _assert_confidence(self, model, plain, picture):
        """Asking for confidence changes nothing else."""
        answer = model.predict_confidence(picture)

        self.assertIsNone(plain.confidence)
        np.testing.assert_array_equal(answer.label_map, plain.label_map)
        np.testing.assert_allclose(
            answer.keypoints_xy, plain.keypoints_xy, atol=1e-3
        )
        self.assertEqual(answer.confidence.shape, (50, 40))
        # Of 20 classes the likeliest has more than its share.
        self.assertGreater(answer.confidence.min(), 0.05)
        self.assertLessEqual(answer.confidence.max(), 1.0)

    def test_newest_version_is_taken_by_number(self):
        for version in ("9", "10", "11.tmp-3"):
            (self.folder / version).mkdir()
            (self.folder / version / "saved_model.pb").touch()

        self.assertEqual(predictor.find_model(self.folder).name, "10")

    def test_folder_without_a_model_is_named(self):
        with self.assertRaisesRegex(UserError, f"no model.*{self.folder}"):
            Predictor.from_directory(self.folder)

    def test_a_folder_of_models_names_one_of_them(self):
        for name in ("empty", "people/3", "people/4"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "people" / "4" / "saved_model.pb").touch()

        with self.assertRaisesRegex(
            UserError, f"found: neither; {self.folder}/people is one$"
        ):
            Predictor.from_directory(self.folder)

    def test_missing_folder_is_named(self):
        with self.assertRaisesRegex(UserError, "absent.*no such folder"):
            Predictor.from_directory(self.folder / "absent")

    def test_saved_model_without_description_is_refused(self):
        (self.folder / "saved_model.pb").write_bytes(b"")

        with self.assertRaisesRegex(UserError, "cannot be described"):
            Predictor.from_directory(self.folder)

    def test_a_saved_model_of_other_bits_is_refused(self):
        folder = self.folder / "1"
        shutil.copytree(stand_in_models.exported_model(), folder)
        graph, other = folder / "saved_model.pb", folder / "fingerprint.pb"
        whole = graph.read_bytes()
        content = bytearray(whole)
        content[len(content) // 2] ^= 1
        for path, bits, pattern in (
            (graph, bytes(content), "changed or damaged.*saved_model.pb"),
            (other, None, "not whole.*fingerprint.pb"),
        ):
            graph.write_bytes(whole)
            path.unlink()
            if bits is not None:
                path.write_bytes(bits)
            with self.assertRaisesRegex(UserError, pattern):
                Predictor.from_directory(self.folder)
            with self.assertRaisesRegex(UserError, pattern):
                LoadedModel("people", 1, folder)

    def test_any_changed_bit_of_a_description_is_refused(self):
        folder = self.folder / "1"
        shutil.copytree(stand_in_models.exported_model(), folder)
        path = folder / model_description.FILE_NAME
        whole = path.read_bytes()
        random = np.random.default_rng(0)
        for place in random.choice(len(whole), 40, replace=False).tolist():
            content = bytearray(whole)
            content[place] ^= 1
            # Blanks between values may be any.
            if content.split() == whole.split():
                continue
            path.write_bytes(content)
            for load in (
                functools.partial(Predictor.from_directory, folder),
                functools.partial(LoadedModel, "people", 1, folder),
            ):
                with self.assertRaisesRegex(UserError, "model.json"):
                    load()

    def test_a_saved_model_of_other_joints_is_refused(self):
        folder = self.folder / "1"
        shutil.copytree(stand_in_models.exported_model(), folder)
        path = folder / model_description.FILE_NAME
        values = json.loads(path.read_text())
        del values[json_documents.SEAL]
        few = {"name": "own", "classes": ["b"], "palette": [[0, 0, 0]]}
        values["descriptor"] = {**few, "keypoints": ["nose"]}
        path.write_text(json.dumps(values))

        with self.assertRaisesRegex(
            UserError, "not fit its description.*of 1 joints; found: 16 joints"
        ):
            Predictor.from_directory(folder)

    def test_text_file_is_no_picture(self):
        path = self.folder / "text.jpg"
        path.write_text("text")

        with self.assertRaisesRegex(UserError, "text.jpg"):
            self.predictor.predict_file(path)

    def test_wrong_arrays_are_refused(self):
        with self.assertRaisesRegex(ValueError, r"Received: image.shape"):
            self.predictor.predict([np.zeros((4, 5), np.uint8)])
        with self.assertRaisesRegex(ValueError, "Received: image.dtype"):
            self.predictor.predict([np.zeros((4, 5, 3))])

    def test_array_of_too_many_pixels_is_refused(self):
        wide = np.broadcast_to(np.uint8(0), (picture_files.MAX_PIXELS, 2, 3))

        with self.assertRaisesRegex(UserError, "too large"):
            self.predictor.predict([wide])


class RunTest(absltest.TestCase):
    def test_run_is_loaded_with_what_it_was_trained_on(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        unet = genotypes.Genotype(genotypes.UNET)
        saved = NPPNet(unet, NetworkConfig(channels=8, cells=4))
        extra = {"descriptor": "lip", "image_size": [64, 32]}
        saved_network.save_network(saved, folder, extra)

        network, descriptor, image_size = predictor.load_run(folder)

        self.assertEqual(descriptor, LIP)
        self.assertEqual(image_size, (64, 32))
        inputs = tf.random.stateless_normal((1, 64, 32, 3), (1, 2))
        np.testing.assert_array_equal(
            network(inputs)["heatmaps"][-1], saved(inputs)["heatmaps"][-1]
        )

    def _load(self, **extra):
        with absltest.mock.patch.object(
            saved_network, "load_network", return_value=(None, extra)
        ):
            return predictor.load_run("run")

    def test_run_may_hold_a_whole_descriptor(self):
        changed = dataclasses.replace(LIP, name="mine")

        _, descriptor, _ = self._load(
            descriptor=json.loads(changed.to_json()), image_size=[64, 32]
        )

        self.assertEqual(descriptor, changed)

    def test_run_that_does_not_say_its_input_size_is_refused(self):
        with self.assertRaisesRegex(UserError, "no image_size"):
            self._load(descriptor="lip")


if __name__ == "__main__":
    absltest.main()

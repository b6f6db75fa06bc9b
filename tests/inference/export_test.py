"""Tests of inference.export."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.inference import export
from nppnet_tf.inference import model_description
from nppnet_tf.inference import model_folders
from nppnet_tf.inference import predictor
from nppnet_tf.inference import warm_up
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.pictures import picture_files
from tests import shared
from tests.inference import saved_model_runner
from tests.inference import stand_in
from tests.inference import stand_in_models
from tests.serving import running_server

_PAGE = shared.REPOSITORY / "docs" / "serving.md"

_PLAIN_RUNTIME = """
import sys
import numpy
import tensorflow
loaded = tensorflow.saved_model.load(sys.argv[1])
image = numpy.load(sys.argv[2])
outputs = loaded.signatures["predict_tensor"](image=tensorflow.constant(image))
numpy.savez(sys.argv[3], **{name: outputs[name].numpy() for name in outputs})
ours = [name for name in sys.modules if name.startswith("nppnet_tf")]
sys.exit(f"loaded {ours}" if ours else 0)
"""


# As AutoGraph meets a full disk.
_FULL_DISK = """
import errno
import pathlib
import sys
import tempfile
from tests.inference import stand_in_models
def open_file(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")
tempfile.NamedTemporaryFile = open_file
stand_in_models._export(pathlib.Path(sys.argv[1]))
"""


def setUpModule():
    global _network, _version, _loaded, _pictures, _truth
    # Of one seed: the same that was exported.
    _network = stand_in.StandIn()
    _version = stand_in_models.exported_model()
    unittest.enterModuleContext(stand_in_models.loaded_once())
    _loaded = tf.saved_model.load(os.fspath(_version))
    # One picture is smaller than the input, one larger than twice as large.
    _pictures = [stand_in.picture(70, 50, 1), stand_in.picture(150, 260, 2)]
    python_model = predictor.Predictor.from_network(
        _network, LIP, stand_in.IMAGE_SIZE
    )
    _truth = python_model.predict(_pictures)


def _models() -> pathlib.Path:
    return _version.parent.parent


def _page_code(needle: str) -> str:
    """The one block of Python of the page that holds some text."""
    blocks = re.findall(r"```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if needle in block]
    return found


class SignatureTest(absltest.TestCase):
    def _encoded(self) -> list[bytes]:
        return [picture_files.encode_png(picture) for picture in _pictures]

    def _assert_equal_to_python(self, outputs, number, of_truth):
        truth = _truth[of_truth]
        height, width = truth.label_map.shape
        label_map = np.asarray(outputs["label_map"])[number, :height, :width]
        np.testing.assert_array_equal(label_map, truth.label_map)
        np.testing.assert_allclose(
            outputs["keypoints_xy"][number], truth.keypoints_xy, atol=1e-3
        )
        np.testing.assert_allclose(
            outputs["keypoint_scores"][number], truth.scores, atol=1e-6
        )

    def test_tensor_signature_equals_the_python_model(self):
        outputs = _loaded.signatures["predict_tensor"](
            image=tf.constant(_pictures[1][np.newaxis], tf.float32)
        )

        self._assert_equal_to_python(outputs, 0, 1)

    def test_bytes_signature_equals_the_python_model_picture_by_picture(self):
        outputs = _loaded.signatures["serving_default"](
            image_bytes=tf.constant(self._encoded())
        )

        self._assert_equal_to_python(outputs, 0, 0)
        self._assert_equal_to_python(outputs, 1, 1)
        np.testing.assert_array_equal(
            outputs["image_size"], [(70, 50), (150, 260)]
        )
        np.testing.assert_array_equal(outputs["status"], [0, 0])

    def test_smaller_label_maps_are_padded_with_the_ignore_label(self):
        outputs = _loaded.signatures["serving_default"](
            image_bytes=tf.constant(self._encoded())
        )
        label_map = outputs["label_map"][0].numpy()

        self.assertEqual(label_map.shape, (150, 260))
        self.assertTrue((label_map[70:] == LIP.ignore_label).all())
        self.assertTrue((label_map[:, 50:] == LIP.ignore_label).all())

    def test_bad_pictures_leave_the_others_of_a_batch_alone(self):
        first, second = self._encoded()
        outputs = _loaded.signatures["serving_default"](
            image_bytes=tf.constant([b"junk", first, second[:200], b"", second])
        )

        np.testing.assert_array_equal(outputs["status"], [1, 0, 1, 1, 0])
        self._assert_equal_to_python(outputs, 1, 0)
        self._assert_equal_to_python(outputs, 4, 1)
        bad = np.array([0, 2, 3])
        for name in ("keypoints_xy", "keypoint_scores", "image_size"):
            self.assertFalse(outputs[name].numpy()[bad].any(), name)
        self.assertEqual(np.unique(outputs["label_map"].numpy()[bad]), [255])

    def test_png_signature_encodes_each_label_map_at_its_own_size(self):
        outputs = _loaded.signatures["predict_png"](
            image_bytes=tf.constant([*self._encoded(), b"junk"])
        )
        first, second, bad = outputs["label_map_bytes"].numpy()

        np.testing.assert_array_equal(
            picture_files.decode_label_map(first), _truth[0].label_map
        )
        np.testing.assert_array_equal(
            picture_files.decode_label_map(second), _truth[1].label_map
        )
        self.assertEqual(bad, b"")

    def test_network_signature_takes_any_size(self):
        inputs = tf.random.stateless_normal((2, 32, 128, 3), (1, 2))

        outputs = _loaded.signatures["network"](image=inputs)

        expected = _network(inputs, training=False)
        for name in (keys.HEATMAPS, keys.PARSING_LOGITS):
            np.testing.assert_allclose(
                outputs[name], expected[name][-1], atol=1e-5
            )

    def test_plain_tensorflow_loads_and_runs_it(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        inputs, outputs = folder / "image.npy", folder / "outputs.npz"
        np.save(inputs, _pictures[0][np.newaxis].astype(np.float32))

        completed = subprocess.run(
            [sys.executable, "-c", _PLAIN_RUNTIME]
            + [str(_version), str(inputs), str(outputs)],
            cwd=folder,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual(completed.returncode, 0, completed.stderr[-2000:])
        self._assert_equal_to_python(np.load(outputs), 0, 0)

    def test_serving_in_cpp_equals_the_python_model(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        program = saved_model_runner.compile_runner(folder)
        first, second = self._encoded()

        outputs = saved_model_runner.run(
            program, _version, folder, _pictures[1], [first, b"junk", second]
        )

        of_bytes = outputs["serving_default"]
        np.testing.assert_array_equal(of_bytes["status"], [0, 1, 0])
        self._assert_equal_to_python(of_bytes, 0, 0)
        self._assert_equal_to_python(of_bytes, 2, 1)
        self._assert_equal_to_python(outputs["predict_tensor"], 0, 1)


class FilesTest(absltest.TestCase):
    def test_nothing_is_said_of_temporary_files_without_room(self):
        folder = pathlib.Path(self.create_tempdir().full_path)

        completed = subprocess.run(
            [sys.executable, "-c", _FULL_DISK, str(folder)],
            cwd=shared.REPOSITORY,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual((completed.returncode, completed.stderr), (0, ""))
        self.assertTrue((folder / "people/1/saved_model.pb").is_file())

    def test_description_says_what_the_graph_does_not(self):
        description = ModelDescription.load(
            _version / model_description.FILE_NAME
        )

        self.assertEqual(description.descriptor, LIP)
        self.assertEqual(description.image_size, stand_in.IMAGE_SIZE)
        self.assertEqual((description.name, description.version), ("people", 1))
        self.assertEqual(
            description.weights_sha256,
            model_description.weights_sha256(_network.variables),
        )

    def test_warm_up_requests_run(self):
        path = _version / "assets.extra" / warm_up.FILE_NAME
        try:
            from tensorflow_serving.apis import prediction_log_pb2
        except ImportError:
            self.skipTest("tensorflow-serving-api is not installed")
        called = []

        for serialized in tf.data.TFRecordDataset(os.fspath(path)):
            log = prediction_log_pb2.PredictionLog.FromString(
                serialized.numpy()
            )
            request = log.predict_log.request
            signature = _loaded.signatures[request.model_spec.signature_name]
            inputs = {
                name: tf.constant(tf.make_ndarray(value))
                for name, value in request.inputs.items()
            }
            outputs = signature(**inputs)
            self.assertEqual(request.model_spec.name, "people")
            if "status" in outputs:
                np.testing.assert_array_equal(outputs["status"], [0])
            called.append(request.model_spec.signature_name)

        self.assertCountEqual(called, _loaded.signatures)

    def test_server_configuration_lists_the_model(self):
        text = (_models() / model_folders.CONFIG_NAME).read_text()

        self.assertIn('name: "people"', text)
        self.assertIn('base_path: "/models/people"', text)

    def test_configuration_lists_every_folder_with_a_version(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("b/1", "a/12", "empty", "a/1.tmp-5"):
            (folder / name).mkdir(parents=True)

        text = export.write_server_config(folder).read_text()

        self.assertEqual(text.count("config {"), 2)
        self.assertLess(text.index('"a"'), text.index('"b"'))


def _without_graph():
    """Skips what takes seconds where only the folders matter."""
    return absltest.mock.patch.object(
        export, "_save", lambda graph, folder: folder.mkdir(parents=True)
    )


class PageTest(absltest.TestCase):
    """The clients of docs/serving.md."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = cls.enterClassContext(
            running_server.running(_models(), "nppnet")
        )

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "person.jpg").write_bytes(
            picture_files.encode_png(_pictures[0])
        )
        self.expected = _truth[0]
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def test_grpc_client_of_the_page_gets_the_prediction(self):
        code = _page_code("grpc").replace("localhost:8500", self.place.grpc)
        code = code.replace('"nppnet"', '"people"')
        # The page needs no such option; a proxy of the environment does.
        code = code.replace(
            "options=[", 'options=[("grpc.enable_http_proxy", 0),'
        )

        names = {}
        exec(code, names)

        np.testing.assert_array_equal(
            names["label_map"], self.expected.label_map
        )
        np.testing.assert_allclose(
            names["keypoints_xy"], self.expected.keypoints_xy, atol=1e-3
        )

    def test_rest_client_of_the_page_gets_the_prediction(self):
        code = _page_code("urllib")
        code = code.replace("http://localhost:8501", self.place.rest)
        code = code.replace("models/nppnet", "models/people")
        without_proxy = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}

        names = {}
        with absltest.mock.patch.dict(os.environ, without_proxy):
            exec(code.replace("print(", "list("), names)

        label_map = (self.folder / "person_parts.png").read_bytes()
        np.testing.assert_array_equal(
            picture_files.decode_label_map(label_map), self.expected.label_map
        )
        np.testing.assert_allclose(
            names["answer"]["keypoints_xy"],
            self.expected.keypoints_xy,
            atol=1e-3,
        )

    def test_page_tells_the_limit_of_pixels(self):
        self.assertIn(f"{picture_files.MAX_PIXELS:,}", _PAGE.read_text())


class ExportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _export(self, name="people", version=None):
        return export.export_saved_model(
            _network, LIP, stand_in.IMAGE_SIZE, self.folder, name, version
        )

    def test_next_free_version_is_taken(self):
        (self.folder / "people/3").mkdir(parents=True)

        with _without_graph():
            self.assertEqual(self._export().name, "4")

    def test_existing_version_is_refused(self):
        (self.folder / "people/3").mkdir(parents=True)

        with self.assertRaisesRegex(UserError, "version cannot be used.*3"):
            self._export(version=3)

    def test_name_with_a_slash_is_refused(self):
        with self.assertRaisesRegex(UserError, "wrong name of a model"):
            self._export(name="../people")

    def test_failed_export_leaves_no_version(self):
        with (
            _without_graph(),
            absltest.mock.patch.object(
                warm_up, "write_requests", side_effect=OSError("disk full")
            ),
            self.assertRaisesRegex(OSError, "disk full"),
        ):
            self._export()

        self.assertEqual(list((self.folder / "people").iterdir()), [])

    def test_baked_in_averaging_is_described(self):
        version = export.export_saved_model(
            _network,
            LIP,
            stand_in.IMAGE_SIZE,
            self.folder,
            "averaged",
            flip=True,
        )

        description = json.loads(
            (version / model_description.FILE_NAME).read_text()
        )
        averaged = predictor.Predictor.from_network(
            _network, LIP, stand_in.IMAGE_SIZE, flip=True
        )
        loaded = predictor.Predictor.from_directory(version)
        self.assertTrue(description["flip"])
        np.testing.assert_array_equal(
            loaded.predict(_pictures[:1])[0].label_map,
            averaged.predict(_pictures[:1])[0].label_map,
        )


if __name__ == "__main__":
    absltest.main()

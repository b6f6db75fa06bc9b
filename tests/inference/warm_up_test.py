"""Tests of inference.warm_up."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import predictor
from nppnet_tf.inference import serving_graph
from nppnet_tf.inference import warm_up
from tests.inference import stand_in


class RequestsTest(absltest.TestCase):
    def test_every_signature_has_a_request(self):
        graph = predictor.graph_of(
            stand_in.StandIn(), LIP, stand_in.IMAGE_SIZE, False, (1.0,)
        )

        requests = warm_up.requests(graph.input_size)

        self.assertCountEqual(requests, graph.signatures())
        for name, function in graph.signatures().items():
            inputs = {
                key: tf.constant(values)
                for key, values in requests[name].items()
            }
            outputs = function(*inputs.values())
            np.testing.assert_array_equal(
                outputs.get(serving_graph.STATUS, 0), 0
            )

    def test_network_sees_its_own_size(self):
        requests = warm_up.requests((384, 288))

        image = requests[serving_graph.NETWORK_SIGNATURE][serving_graph.IMAGE]
        self.assertEqual(image.shape, (1, 384, 288, 3))


class PredictionLogTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        try:
            from tensorflow_serving.apis import prediction_log_pb2
        except ImportError:
            self.skipTest("tensorflow-serving-api is not installed")
        self.parse = prediction_log_pb2.PredictionLog.FromString

    def test_message_is_the_one_that_serving_reads(self):
        # Long enough for lengths of one, two and three bytes.
        image = np.arange(30000, dtype=np.float32).reshape(1, 100, 100, 3)

        serialized = warm_up.prediction_log(
            "people", "predict_tensor", {"image": image, "other": [b"x"]}
        )

        log = self.parse(serialized)
        request = log.predict_log.request
        self.assertEqual(log.WhichOneof("log_type"), "predict_log")
        self.assertEqual(request.model_spec.name, "people")
        self.assertEqual(request.model_spec.signature_name, "predict_tensor")
        self.assertCountEqual(request.inputs, ["image", "other"])
        np.testing.assert_array_equal(
            tf.make_ndarray(request.inputs["image"]), image
        )
        self.assertEqual(log.SerializeToString(deterministic=True), serialized)

    def test_equal_numbers_take_no_room(self):
        image = np.zeros((1, 384, 384, 3), np.float32)

        serialized = warm_up.prediction_log(
            "people", "network", {"image": image}
        )

        self.assertLess(len(serialized), 100)
        inputs = self.parse(serialized).predict_log.request.inputs
        np.testing.assert_array_equal(tf.make_ndarray(inputs["image"]), image)

    def test_file_holds_one_record_for_every_signature(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "requests"

        warm_up.write_requests(
            path, "people", {"a": {"x": [1.0]}, "b": {"x": [2.0]}}
        )

        names = [
            self.parse(
                record.numpy()
            ).predict_log.request.model_spec.signature_name
            for record in tf.data.TFRecordDataset(str(path))
        ]
        self.assertEqual(names, ["a", "b"])


if __name__ == "__main__":
    absltest.main()

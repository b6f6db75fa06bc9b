"""Tests of inference.warm_up."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.inference import warm_up


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

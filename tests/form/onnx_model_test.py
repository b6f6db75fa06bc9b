"""Other runtimes answer as the network does."""

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import onnx_model
from nppnet_tf.form import rules
from tests.form import networks

# An odd number of pixels at the lowest level.
SIZE = (96, 64)


class OnnxModelTest(absltest.TestCase):
    def test_the_runtime_answers_as_the_network(self):
        network = networks.settled(networks.random_genotype(1))
        described = description.describe(network)
        picture = tf.random.stateless_normal([2, *SIZE, 3], [1, 2])
        expected = network(picture, training=False)
        for outputs in (
            nodes.by_stage(described),
            rules.inference(described, SIZE),
        ):
            model = onnx_model.to_onnx(outputs, SIZE)
            onnx.checker.check_model(model, full_check=True)
            session = onnxruntime.InferenceSession(model.SerializeToString())

            found = session.run(
                list(outputs), {onnx_model.IMAGE: picture.numpy()}
            )

            for name, value in zip(outputs, found, strict=True):
                key, _, stage = name.rpartition("_")
                wanted = expected.get(name, expected.get(key))
                wanted = wanted[int(stage) if stage.isdecimal() else -1]
                scale = max(1, np.abs(wanted).max())
                np.testing.assert_allclose(
                    value / scale, wanted / scale, atol=1e-5
                )

    def test_an_operation_of_ones_own_is_refused(self):
        own = nodes.OwnLayer((nodes.Picture(()),), "mine", 3, 1)

        with self.assertRaisesRegex(UserError, "no form in ONNX.*mine"):
            onnx_model.to_onnx({"out": own}, SIZE)


if __name__ == "__main__":
    absltest.main()

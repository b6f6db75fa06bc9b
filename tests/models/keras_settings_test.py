"""Tests of nppnet_tf.models.keras_settings."""

import contextlib
import threading

import keras
import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.layers.heads import Stem
from nppnet_tf.models import keras_settings
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published


class KerasSettingsTest(parameterized.TestCase):
    @parameterized.parameters("float16", "bfloat16", "mixed_float16")
    def test_networks_of_other_numbers_are_refused(self, policy):
        self.addCleanup(
            keras.config.set_dtype_policy, keras.config.dtype_policy()
        )
        keras.config.set_dtype_policy(policy)

        with self.assertRaisesRegex(
            UserError,
            "keras.json.*expected: the backend tensorflow and floatx float32; "
            "found: tensorflow, .*float16",
        ):
            NPPNet(published.baseline(), NetworkConfig(channels=8, cells=4))

    @parameterized.parameters("float16", "bfloat16", "mixed_float16")
    def test_networks_made_of_other_numbers_are_refused(self, policy):
        with self.assertRaisesRegex(
            UserError, "`dtype`; expected: float32 or mixed_bfloat16; found: "
        ):
            NPPNet(
                published.baseline(),
                NetworkConfig(channels=8, cells=4),
                dtype=policy,
            )

    def test_a_policy_is_that_of_its_network_alone(self):
        before = keras.config.dtype_policy()
        mixed = keras.DTypePolicy("mixed_bfloat16")
        found = {}

        def other_thread():
            found["other"] = Stem(8).compute_dtype

        with keras_settings.layers_of(mixed):
            found["inside"] = Stem(8).compute_dtype
            thread = threading.Thread(target=other_thread)
            thread.start()
            thread.join()
        with (
            contextlib.suppress(ZeroDivisionError),
            keras_settings.layers_of(mixed),
        ):
            _ = 1 / 0

        self.assertEqual(found, {"inside": "bfloat16", "other": "float32"})
        self.assertEqual(keras.config.dtype_policy(), before)

    def test_the_order_of_dimensions_has_no_part(self):
        image = np.random.default_rng(0).normal(size=(1, 32, 32, 3))
        self.addCleanup(keras.config.set_image_data_format, "channels_last")
        answers = []
        for order in ("channels_last", "channels_first"):
            keras.config.set_image_data_format(order)
            keras.utils.set_random_seed(0)
            stem = Stem(8)
            answers.append(
                keras.tree.map_structure(np.asarray, stem(np.float32(image)))
            )

        keras.tree.map_structure(np.testing.assert_array_equal, *answers)


if __name__ == "__main__":
    absltest.main()

"""Steps in bfloat16: what stays float32, and how near they are to it."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import config
from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.training import retrain
from nppnet_tf.training import search
from tests.training import tiny_network

_NETWORK = config.NetworkConfig(
    channels=16,
    cells=4,
    num_classes=tiny_network.NUM_CLASSES,
    num_keypoints=tiny_network.NUM_KEYPOINTS,
    num_fusion_cells=1,
)
_LOSS = config.LossConfig(min_hard_pixels=10)
_SIDES = (64, 64)

# Bfloat16 has 8 bits: a rounding is up to 0.4 %. Losses of one step.
_RELATIVE_TOLERANCE = 0.02

# Least cosine of the angle between the gradients of both, all weights as one
# vector: directions of single weights differ more.
_LEAST_COSINE = 0.9


def _train(precision):
    released = published.released()
    model = retrain.make_retrain_model(
        # What the search below has not; its cells are here those of fusion.
        genotypes.Genotype(
            genotypes.UNET, released.interaction, released.fusion
        ),
        _NETWORK,
        _LOSS,
        config.RetrainConfig(precision=precision),
        descriptors.LIP,
        tf.distribute.get_strategy(),
    )
    return model, tiny_network.batch(0, image_size=_SIDES)


def _search(precision):
    model = search.make_search_model(
        stages.start(
            stages.INTERACTION_FUSION, published.released(), interaction="omit"
        ),
        _NETWORK,
        _LOSS,
        config.SearchConfig(warmup_epochs=0, precision=precision),
        tf.distribute.get_strategy(),
    )
    halves = (keys.WEIGHT_SPLIT, keys.ARCHITECTURE_SPLIT)
    return model, {
        half: tiny_network.batch(number, image_size=_SIDES)
        for number, half in enumerate(halves)
    }


def _step(make, precision):
    """Returns model, losses and each optimizer's first moments of one step."""
    keras.utils.set_random_seed(0)
    model, data = make(precision)
    # Eagerly, which is quicker than tracing for a single step.
    losses = {
        name: float(loss) for name, loss in model.train_step(data).items()
    }
    moments = {
        update.name: np.concatenate(
            [
                keras.ops.convert_to_numpy(moment).ravel()
                for moment in update.optimizer._momentums
            ]
        )
        for update in model.updates
    }
    return model, losses, moments


class PrecisionTest(absltest.TestCase):
    def _assert_near(self, make):
        _, losses, moments = _step(make, config.FLOAT32)
        model, narrow_losses, narrow_moments = _step(make, config.BFLOAT16)

        self.assertNotEqual(losses, narrow_losses)
        for name, loss in losses.items():
            np.testing.assert_allclose(
                narrow_losses[name], loss, _RELATIVE_TOLERANCE, err_msg=name
            )
        # After one step a first moment is a multiple of the gradient.
        for name, moment in moments.items():
            other = narrow_moments[name]
            lengths = np.linalg.norm(moment) * np.linalg.norm(other)
            self.assertGreater(moment @ other / lengths, _LEAST_COSINE, name)
        return model

    def _assert_float32(self, model):
        """Variables, moving statistics, slots and trackers are float32."""
        variables = [
            *model.variables,
            *(
                v
                for update in model.updates
                for v in update.optimizer.variables
            ),
        ]
        types = {v.dtype for v in variables if "int" not in v.dtype}
        self.assertEqual(types, {"float32"})

    def test_step_of_a_training_is_near(self):
        model = self._assert_near(_train)

        self._assert_float32(model)
        image = tiny_network.batch(0, image_size=_SIDES)[keys.IMAGE]
        first, _ = model.network.branches[0].stem(image)
        self.assertEqual(first.dtype, tf.bfloat16)
        predictions = model.network(image)
        self.assertEqual(
            {p.dtype for p in tf.nest.flatten(dict(predictions))}, {tf.float32}
        )

    def test_steps_of_a_search_are_near(self):
        model = self._assert_near(_search)

        self._assert_float32(model)
        for parameters in model.network.architecture.values():
            # A call is what narrows variables.
            mixture = parameters(training=True)
            self.assertEqual({x.dtype for x in mixture}, {tf.float32})
        self.assertEqual(model.network.entropy().dtype, tf.float32)


if __name__ == "__main__":
    absltest.main()

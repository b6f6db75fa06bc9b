"""A batch in parts moves the weights as the whole batch does.

Normalization is the one thing that parts change. Here the parts hold the same
pictures with other annotations: their moments are the batch's, and all that is
left has to be equal.
"""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.training.accumulation import Accumulation
from nppnet_tf.training.replica_batches import ReplicaBatches
from tests.training import tiny_network

_PARTS = 2


def _same_pictures(seed):
    """A batch of 8 whose second half shows the pictures of the first.

    What is annotated lies unevenly over both.
    """
    batch = tiny_network.batch(seed, size=8)
    batch[keys.IMAGE][4:] = batch[keys.IMAGE][:4]
    batch[keys.HAS_LABEL_MAP] = np.float32([1, 1, 1, 1, 0, 1, 0, 0])
    batch[keys.HAS_KEYPOINTS] = np.float32([0, 0, 0, 1, 1, 1, 1, 1])
    batch[keys.LABEL_MAP][0, :12] = keys.IGNORE_LABEL
    return batch


def _values(model):
    return {
        variable.path: value
        for group in (model.network.variables, model.joint_loss.variables)
        for variable, value in zip(
            group, tiny_network.values(group), strict=True
        )
    }


def _after(make_model, batches, strategy=None, parts=1):
    """Weights, logs and trackers after a step of each batch."""
    strategy = strategy or tf.distribute.get_strategy()
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = make_model()
    model.begin_epoch(0)
    stepping = model if parts == 1 else Accumulation(model)
    dataset = tf.data.Dataset.from_tensor_slices(
        tf.nest.map_structure(lambda *leaves: np.stack(leaves), *batches)
    )
    with ReplicaBatches(dataset, strategy, parts) as given:
        for batch in given:
            logs = stepping.take_step(batch)
    return _values(model), {name: float(logs[name]) for name in logs}


class AccumulationTest(absltest.TestCase):
    def _assert_equal(self, found, expected, but=()):
        weights, logs = found
        for name, value in expected[0].items():
            if not name.endswith(but or "?"):
                np.testing.assert_allclose(
                    weights[name], value, atol=1e-5, err_msg=name
                )
        self.assertEqual(logs.keys(), expected[1].keys())
        for name, value in expected[1].items():
            self.assertAlmostEqual(logs[name], value, 5, name)

    def test_training_equals_that_of_the_whole_batch(self):
        """On two replicas, each of which has parts of its own."""
        batches = [_same_pictures(seed) for seed in range(3)]
        whole = _after(tiny_network.retrain_model, batches)

        parts = _after(
            tiny_network.retrain_model,
            batches,
            two_replicas.strategy(),
            parts=_PARTS,
        )

        # They move with every part.
        self._assert_equal(parts, whole, ("moving_mean", "moving_variance"))

    def test_search_equals_that_of_the_whole_batch(self):
        """Its parts draw alpha once for all."""

        def make_model():
            return tiny_network.search_model(
                genotype=tiny_network.FUSION,
                relaxation="gumbel",
                entropy_weight=0.5,
            )

        batches = [
            {
                keys.WEIGHT_SPLIT: _same_pictures(seed),
                keys.ARCHITECTURE_SPLIT: _same_pictures(seed + 10),
            }
            for seed in range(3)
        ]

        whole = _after(make_model, batches)
        parts = _after(make_model, batches, parts=_PARTS)

        self._assert_equal(parts, whole)
        before = _values(make_model())
        alphas = [name for name in before if name.endswith("alpha")]
        self.assertNotEmpty(alphas)
        for name in alphas:
            self.assertGreater(abs(parts[0][name] - before[name]).max(), 1e-3)

    def test_hard_pixels_are_those_of_the_whole_batch(self):
        # What each half mines by itself is another loss.
        batch = _same_pictures(0)
        apart = [
            tiny_network.retrain_model().train_step(
                tf.nest.map_structure(
                    lambda leaf, i=i: leaf[4 * i :][:4], batch
                )
            )
            for i in range(_PARTS)
        ]
        whole = tiny_network.retrain_model().train_step(batch)

        _, parts = _after(tiny_network.retrain_model, [batch], parts=_PARTS)

        mean = np.mean([float(each[keys.PARSING_LOSS]) for each in apart])
        self.assertAlmostEqual(
            parts[keys.PARSING_LOSS], float(whole[keys.PARSING_LOSS]), 5
        )
        self.assertNotAlmostEqual(mean, parts[keys.PARSING_LOSS], 3)


if __name__ == "__main__":
    absltest.main()

"""Two replicas take the step of one, with the real supernet.

In float32 nothing could be seen: normalizations over few numbers grow rounding
on the way back (see tests/importing/training_step_test.py), and Adam turns a
vanishing gradient of either sign into a full step. In float64 the gradients of
both descents of Eq. 7 can be compared.
"""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space.space import SearchSpace
from tests import float64

_SIDE = 32
_SAMPLES = 4

# TensorFlow has no gradient of a dilated convolution in float64 on CPUs.
_PRIMITIVES = tuple(
    name for name in primitives.PAPER if not name.startswith("dil_")
)


def _batch():
    """Noise; the halves differ in what is annotated."""
    random = np.random.default_rng(0)
    maps = (_SAMPLES, _SIDE // 4, _SIDE // 4, 16)
    labels = random.integers(0, 20, (_SAMPLES, _SIDE, _SIDE))
    labels[0, :20] = 255
    return {
        keys.IMAGE: random.normal(size=(_SAMPLES, _SIDE, _SIDE, 3)),
        keys.HEATMAPS: random.random(maps).astype(np.float32),
        keys.AUXILIARY_HEATMAPS: random.random(maps).astype(np.float32),
        keys.LABEL_MAP: labels.astype(np.int32),
        keys.BOUNDARY_MAP: (labels % 2).astype(np.int32),
        keys.HAS_LABEL_MAP: np.float32([1, 1, 1, 0]),
        keys.HAS_KEYPOINTS: np.float32([0, 1, 1, 1]),
    }


def _step(strategy, batch):
    """Loss, gradients and statistics of one step, of the global batch."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        network = NPPNet(
            # Searched edges of one kind; all are made of the same operations.
            genotypes.Genotype(
                genotypes.UNET, genotypes.OMIT, genotypes.SEARCH
            ),
            NetworkConfig(channels=16, cells=4, num_fusion_cells=1),
            SearchSpace(_PRIMITIVES),
        )
        joint_loss = JointLoss(2, LossConfig(min_hard_pixels=512))

    def replica(batch):
        variables = [v.value for v in network.trainable_variables]
        with tf.GradientTape() as tape:
            outputs = tf.nest.map_structure(
                lambda output: tf.cast(output, tf.float32),
                network(batch[keys.IMAGE], training=True),
            )
            loss = joint_loss(batch, outputs)[keys.TOTAL_LOSS]
        return loss, tape.gradient(
            loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    shares = strategy.run(replica, args=(batch,))
    loss, gradients = tf.nest.map_structure(
        lambda share: strategy.reduce("SUM", share, axis=None).numpy(), shares
    )
    gradients = dict(
        zip(
            [v.path for v in network.trainable_variables],
            gradients,
            strict=True,
        )
    )
    statistics = {
        v.path: keras.ops.convert_to_numpy(v)
        for v in network.non_trainable_variables
    }
    return loss, gradients, statistics


class ReplicasTest(absltest.TestCase):
    def test_gradients_and_statistics_of_the_supernet_match_one_replica(self):
        strategy = two_replicas.strategy()
        with float64.computation():
            one = _step(tf.distribute.get_strategy(), _batch())
            two = _step(strategy, two_replicas.split(strategy, _batch()))

        np.testing.assert_allclose(two[0], one[0], rtol=1e-6)
        self.assertGreater(len(one[1]), 200)
        for path, expected in one[1].items():
            scale = max(np.abs(expected).max(), 1e-6)
            np.testing.assert_allclose(
                two[1][path] / scale, expected / scale, atol=1e-5, err_msg=path
            )
        alphas = [p for p in one[1] if p.endswith("alpha")]
        self.assertTrue(all(np.abs(one[1][p]).max() > 0 for p in alphas))
        self.assertNotEmpty(alphas)


if __name__ == "__main__":
    absltest.main()

"""Tests of the network."""

import dataclasses
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype
from nppnet_tf.search_space import published

CONFIG = NetworkConfig(
    channels=16, cells=4, num_classes=5, num_keypoints=3, num_fusion_cells=1
)
RELEASED = published.released()
STAGE_ONE = genotype.Genotype(genotype.SEARCH)
STAGE_TWO = dataclasses.replace(
    RELEASED, interaction=genotype.SEARCH, fusion=genotype.SEARCH
)


def table_five():
    """The eight rows of Table 5: each part searched out or left out."""
    for encoder in (genotype.BASELINE, RELEASED.encoder_decoder):
        for interaction in (genotype.OMIT, RELEASED.interaction):
            for fusion in (genotype.OMIT, RELEASED.fusion):
                yield genotype.Genotype(encoder, interaction, fusion)


def picture(height=32, width=64, batch=1):
    return tf.random.stateless_normal([batch, height, width, 3], [1, 2])


class NPPNetTest(parameterized.TestCase):
    @parameterized.parameters(*table_five(), STAGE_ONE, STAGE_TWO)
    def test_every_form_predicts_at_a_quarter(self, *parts):
        gene = genotype.Genotype(*parts) if len(parts) == 3 else parts[0]
        network = NPPNet(gene, CONFIG)

        outputs = network(picture())

        stages = 1 if gene.fusion == genotype.OMIT else 2
        channels = {
            keys.HEATMAPS: 3,
            keys.AUXILIARY_HEATMAPS: 3,
            keys.PARSING_LOGITS: 5,
            keys.BOUNDARY_LOGITS: 2,
        }
        self.assertEqual(set(outputs), set(channels))
        for key, width in channels.items():
            shapes = [tuple(output.shape) for output in outputs[key]]
            self.assertEqual(shapes, [(1, 8, 16, width)] * stages)

    @parameterized.parameters(STAGE_ONE, STAGE_TWO, RELEASED)
    def test_weights_are_split_without_rest(self, gene):
        network = NPPNet(gene, CONFIG)

        both = network.network_weights + network.architecture_weights

        self.assertCountEqual(
            [weight.path for weight in both],
            [weight.path for weight in network.trainable_weights],
        )
        self.assertLen(
            {weight.path for weight in network.variables},
            len(network.variables),
        )
        self.assertEqual(network.is_supernet, gene.is_searched)

    def test_parts_have_their_parameters(self):
        self.assertEqual(
            list(NPPNet(STAGE_ONE, CONFIG).architecture),
            [
                f"{branch}/{kind}"
                for branch in keys.BRANCHES
                for kind in ("normal", "reduction", "decoding")
            ],
        )
        parts = NPPNet(STAGE_TWO, CONFIG).architecture
        self.assertEqual(
            {name: part.alpha.shape for name, part in parts.items()},
            {
                "pose/interaction": (28, 8),
                "pose/fusion": (18, 8),
                "parsing/interaction": (28, 8),
                "parsing/fusion": (18, 8),
            },
        )

    @parameterized.parameters(STAGE_ONE, STAGE_TWO)
    def test_every_weight_of_a_supernet_gets_a_gradient(self, gene):
        network = NPPNet(gene, CONFIG)
        weights = network.trainable_weights

        with tf.GradientTape() as tape:
            outputs = network(picture(64, 64, 2), training=True)
            loss = tf.add_n(
                [
                    tf.reduce_sum(tf.sin(stage))
                    for stages in outputs.values()
                    for stage in stages
                ]
            )
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        without = [
            weight.path
            for weight, gradient in zip(weights, gradients, strict=True)
            if gradient is not None and not np.any(gradient)
        ]

        self.assertTrue(all(g is not None for g in gradients))
        # An offset in front of a normalisation changes nothing, and the one
        # hidden unit of so narrow an excitation may be off.
        idle = ("bias", "offset", "squeeze", "excite")
        without = [path for path in without if not path.endswith(idle)]
        self.assertEmpty(without)

    def test_entropy_is_log_of_the_choices_at_the_start(self):
        network = NPPNet(STAGE_TWO, CONFIG)

        self.assertAlmostEqual(float(network.entropy()), math.log(8), places=5)
        self.assertEqual(float(NPPNet(RELEASED, CONFIG).entropy()), 0)

    def test_branches_share_nothing_when_nothing_interacts(self):
        gene = genotype.Genotype(RELEASED.encoder_decoder)
        network = NPPNet(gene, CONFIG)
        before = network(picture())
        for weight in network.branches[0].trainable_weights:
            weight.assign(tf.zeros_like(weight.value))

        after = network(picture())

        np.testing.assert_array_equal(
            after[keys.PARSING_LOGITS][0], before[keys.PARSING_LOGITS][0]
        )
        self.assertNotAllEqual(
            after[keys.HEATMAPS][0], before[keys.HEATMAPS][0]
        )

    def assertNotAllEqual(self, first, second):
        self.assertGreater(float(tf.reduce_max(tf.abs(first - second))), 0)

    @parameterized.parameters(
        ("channels", 24), ("cells", 6), ("num_classes", 0)
    )
    def test_impossible_size_is_one_line(self, name, value):
        config = dataclasses.replace(CONFIG, **{name: value})

        with self.assertRaisesRegex(UserError, f"where: {name};.*{value}$"):
            NPPNet(STAGE_ONE, config)

    def test_config_makes_the_same_network(self):
        network = NPPNet(STAGE_TWO, CONFIG)

        copy = NPPNet.from_config(network.get_config())

        self.assertEqual(copy.get_config(), network.get_config())
        self.assertEqual(
            [weight.path for weight in copy.variables],
            [weight.path for weight in network.variables],
        )


if __name__ == "__main__":
    absltest.main()

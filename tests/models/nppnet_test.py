"""Tests of the network."""

import dataclasses
import functools
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages

CONFIG = NetworkConfig(
    channels=16, cells=4, num_classes=5, num_keypoints=3, num_fusion_cells=1
)
RELEASED = published.released()
STAGE_ONE = genotypes.Genotype(genotypes.SEARCH)
# Behind what has fewest layers.
STAGE_TWO = genotypes.Genotype(
    genotypes.UNET, genotypes.SEARCH, genotypes.SEARCH
)


def rows_of_table_five():
    """Five of its eight: each two parts, searched out or left out, meet."""
    baseline, encoder = genotypes.BASELINE, RELEASED.encoder_decoder
    interaction, fusion = RELEASED.interaction, RELEASED.fusion
    return (
        genotypes.Genotype(baseline),
        genotypes.Genotype(baseline, interaction, fusion),
        genotypes.Genotype(encoder, interaction, genotypes.OMIT),
        genotypes.Genotype(encoder, genotypes.OMIT, fusion),
        RELEASED,
    )


@functools.cache
def made(gene):
    """One network of a genotype, for tests that change no weight of it."""
    return NPPNet(gene, CONFIG)


def picture(height=32, width=64, batch=1):
    return tf.random.stateless_normal([batch, height, width, 3], [1, 2])


def released_parameters(init_channels, cells, classes, joints):
    """Counts what the release trains, by its published description alone.

    Written from the list of its modules, without a look at our layers.
    """
    channels = 2 * init_channels
    total = 2 * (
        _convolution(3, init_channels, 3)
        + _convolution(init_channels, channels, 3)
        + _convolution(channels, channels, 3)
    )
    for branch in keys.BRANCHES:
        gene = getattr(RELEASED.encoder_decoder, branch)
        total += _encoder(gene, init_channels, cells)
        for low, skip in ((8, 4), (4, 2), (2, 1)):
            width = channels * skip // 4
            total += _convolution(channels * low, width)
            total += _convolution(channels * skip, width)
            total += _operations(gene.decoding, width)
        widths = [channels * r for r in (1, 2, 4, 8, 4, 2, 1)]
        for level, node in enumerate(getattr(RELEASED.interaction, branch)):
            for primitive, source in node:
                total += _operation(primitive, widths[source], 1)
                if source != level:
                    total += (widths[source] + 1) * widths[level]
        # Main and auxiliary high-level feature, with a bias each.
        total += _convolution(8 * channels, 4 * channels) + 4 * channels
        total += _convolution(8 * channels, 3 * channels) + 3 * channels
        # Three rounds of fusion.
        fusion = _operations(getattr(RELEASED.fusion, branch), channels)
        for width in (3, 4, 4):
            fusion += _convolution(width * channels, channels)
        total += 3 * fusion
    main, auxiliary = 4 * channels, 3 * channels
    stage = 0
    for outputs in (classes, joints):
        stage += _convolution(main, 256) + 256 + 257 * outputs
    stage += _convolution(auxiliary, 128, 3) + 128 + 129 * joints
    stage += _convolution(auxiliary, 6, 3) + 7 * 2
    return total + 2 * stage


def _encoder(gene, init_channels, cells):
    inputs = [2 * init_channels] * 2
    width, total, was_reduction = init_channels // 2, 0, False
    for index in range(cells):
        is_reduction = index in [cells * q // 4 for q in (1, 2, 3)]
        width *= 2 if is_reduction else 1
        if was_reduction:
            total += 2 * inputs[0] * (width // 2) + 2 * width
        else:
            total += _convolution(inputs[0], width)
        total += _convolution(inputs[1], width)
        cell = gene.reduction if is_reduction else gene.normal
        total += _operations(cell, width, 2 if is_reduction else 1)
        inputs = [inputs[1], 4 * width]
        was_reduction = is_reduction
    return total


def _operations(gene, width, input_stride=1):
    return sum(
        _operation(primitive, width, input_stride if source < 2 else 1)
        for node in gene.nodes
        for primitive, source in node
    )


def _operation(primitive, width, stride):
    half = width // 2
    return {
        "std_conv_3x3": _convolution(width, width, 3),
        "std_conv_1x1": _convolution(width, width),
        "dil_conv_3x3_2": 9 * width + _convolution(width, width),
        "dil_conv_3x3_4": 9 * width + _convolution(width, width),
        "max_pool_3x3": 2 * width,
        "se_connect": (width + 1) * half
        + (half + 1) * width
        + 2 * width * (stride - 1),
        "poled_conv_x1": _convolution(width, width, 3) + width,
    }[primitive]


def _convolution(inputs, outputs, size=1):
    """A convolution without bias and its normalization."""
    return size * size * inputs * outputs + 2 * outputs


class NPPNetTest(parameterized.TestCase):
    @parameterized.parameters(
        *((row,) for row in rows_of_table_five()), (STAGE_ONE,), (STAGE_TWO,)
    )
    def test_every_form_predicts_at_a_quarter(self, gene):

        outputs = made(gene)(picture())

        stages = 1 if gene.fusion == genotypes.OMIT else 2
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
        network = made(gene)

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
            list(made(STAGE_ONE).architecture),
            [
                f"{branch}/{kind}"
                for branch in keys.BRANCHES
                for kind in ("normal", "reduction", "decoding")
            ],
        )
        parts = made(STAGE_TWO).architecture
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
        network = made(gene)
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
        # An offset in front of a normalization changes nothing, and the one
        # hidden unit of so narrow an excitation may be off.
        idle = ("bias", "offset", "squeeze", "excite")
        without = [path for path in without if not path.endswith(idle)]
        self.assertEmpty(without)

    def test_entropy_is_log_of_the_choices_at_the_start(self):
        entropy = float(made(STAGE_TWO).entropy())

        self.assertAlmostEqual(entropy, math.log(8), places=5)
        self.assertEqual(float(made(RELEASED).entropy()), 0)

    def test_branches_share_nothing_when_nothing_interacts(self):
        network = NPPNet(genotypes.Genotype(genotypes.UNET), CONFIG)
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
        ("channels", 24), ("cells", 3), ("num_classes", 0)
    )
    def test_impossible_size_is_one_line(self, name, value):
        config = dataclasses.replace(CONFIG, **{name: value})

        with self.assertRaisesRegex(UserError, f"where: `{name}`;.*{value}$"):
            NPPNet(STAGE_ONE, config)

    @parameterized.parameters(0, 4, 10, 18, 22)
    def test_width_that_the_release_has_not_either_is_one_line(self, channels):
        with self.assertRaisesRegex(
            UserError, f"a multiple of 4, 8 to 2048; found: {channels}$"
        ):
            NPPNet.from_preset("released", channels=channels, cells=4)

    # Three reductions in a row; two with a cell between.
    @parameterized.parameters((12, 5, 7, 14), (8, 6, 2, 1))
    def test_preset_has_the_parameters_of_the_release(
        self, channels, cells, classes, joints
    ):
        network = NPPNet.from_preset(
            "released",
            channels=channels,
            cells=cells,
            num_classes=classes,
            num_keypoints=joints,
        )

        expected = released_parameters(channels // 2, cells, classes, joints)
        found = sum(math.prod(v.shape) for v in network.trainable_weights)
        self.assertEqual(found, expected)

    def test_parameters_of_the_release_are_counted_as_published(self):
        self.assertEqual(released_parameters(64, 16, 20, 16), 76_968_332)

    def test_second_stage_is_searched_at_every_width(self):
        config = dataclasses.replace(CONFIG, channels=12, cells=5)
        gene = stages.start("interaction_fusion", RELEASED)

        outputs = NPPNet(gene, config)(picture())

        self.assertEqual(outputs[keys.HEATMAPS][1].shape, (1, 8, 16, 3))

    def test_heads_are_as_wide_as_they_are_set(self):
        network = NPPNet(
            genotypes.Genotype(genotypes.UNET),
            dataclasses.replace(CONFIG, head_channels=10),
        )

        # Pose, pose auxiliary, parsing, boundary.
        widths = [head.block.filters for head in network.heads]
        self.assertEqual(widths, [10, 5, 10, 6])
        self.assertEqual(
            network(picture())[keys.PARSING_LOGITS][0].shape[-1], 5
        )

    def test_config_makes_the_same_network(self):
        network = made(STAGE_TWO)

        copy = NPPNet.from_config(network.get_config())
        of_before = made(genotypes.Genotype(genotypes.UNET)).get_config()
        del of_before["relaxation"]

        self.assertEqual(copy.get_config(), network.get_config())
        self.assertEqual(NPPNet.from_config(of_before).relaxation, "softmax")
        self.assertEqual(
            [weight.path for weight in copy.variables],
            [weight.path for weight in network.variables],
        )


if __name__ == "__main__":
    absltest.main()

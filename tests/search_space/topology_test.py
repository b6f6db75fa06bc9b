"""Tests of edges, strides and widths."""

from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import topology


class TopologyTest(absltest.TestCase):
    def test_cells_have_14_and_18_edges(self):
        self.assertLen(topology.cell_edges(2), 14)
        self.assertLen(topology.cell_edges(3), 18)

    def test_edges_come_from_before(self):
        for edge in topology.cell_edges(2):
            self.assertLess(edge.predecessor, 2 + edge.node)

    def test_levels_see_no_later_level(self):
        edges = topology.interaction_edges()

        self.assertLen(edges, 28)
        self.assertTrue(all(e.predecessor <= e.node for e in edges))

    def test_pyramid_is_that_of_equation_3(self):
        levels = range(topology.NUM_LEVELS)

        strides = [topology.level_stride(level) for level in levels]
        widths = [topology.level_channels(level, 64) for level in levels]

        self.assertEqual(strides, [1, 2, 4, 8, 4, 2, 1])
        self.assertEqual(widths, [64, 128, 256, 512, 256, 128, 64])

    def test_quarters_of_the_encoder(self):
        self.assertEqual(topology.reduction_cells(16), (4, 8, 12))
        self.assertEqual(
            [topology.encoder_level(cell, 16) for cell in range(16)],
            [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4,
        )

    def test_quarters_of_an_encoder_that_has_none(self):
        # L // 4, 2 L // 4, 3 L // 4, as the release counts.
        self.assertEqual(topology.reduction_cells(6), (1, 3, 4))
        self.assertEqual(
            [topology.encoder_level(cell, 6) for cell in range(6)],
            [0, 1, 1, 2, 3, 3],
        )

    def test_sizes_without_a_network_are_named(self):
        config = NetworkConfig(channels=24, cells=4)

        topology.check_sizes(config)
        with self.assertRaisesRegex(
            UserError,
            "where: `channels`; expected: a multiple of 16, 16 to 2048; "
            "found: 24",
        ):
            topology.check_sizes(config, 16)
        with self.assertRaisesRegex(UserError, "`cells`; expected: 4 to 256"):
            topology.check_sizes(NetworkConfig(cells=3))

    def test_sizes_that_no_machine_holds_are_named(self):
        for sizes, pattern in (
            ({"channels": 10**6}, "`channels`; .*found: 1000000"),
            ({"cells": 10**9}, "`cells`; .*found: 1000000000"),
            ({"num_classes": 100_000}, "`num_classes`; expected: 1 to 255"),
            ({"channels": 2048, "cells": 16}, "no memory holds"),
            ({"channels": 128.0}, "`channels`; "),
            ({"cells": "16"}, "`cells`; "),
        ):
            with (
                self.subTest(pattern),
                self.assertRaisesRegex(UserError, pattern),
            ):
                topology.check_sizes(NetworkConfig(**sizes))

    def test_unknown_level_is_refused(self):
        with self.assertRaisesRegex(ValueError, "level=7"):
            topology.level_stride(7)


if __name__ == "__main__":
    absltest.main()

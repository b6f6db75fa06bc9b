"""Tests of nppnet_tf.drawing.search_history."""

import re
import xml.etree.ElementTree

from absl.testing import absltest

from nppnet_tf.drawing import search_history
from nppnet_tf.search_space import genotype as genotypes

_SVG = "{http://www.w3.org/2000/svg}"


def _genotype(*primitives):
    """One whose pose cell begins with such operations on its first input."""
    node = tuple(genotypes.Choice(name, 0) for name in primitives)
    rest = ((genotypes.Choice("skip_connect", 1),),) * 3
    cells = [genotypes.CellGene((first, *rest)) for first in (node, rest[0])]
    return genotypes.Genotype(
        genotypes.BASELINE, genotypes.OMIT, genotypes.FusionGene(*cells)
    )


def _texts(svg):
    root = xml.etree.ElementTree.fromstring(svg)
    return [element.text for element in root.iter(f"{_SVG}text")]


class KeptTest(absltest.TestCase):
    def test_changes_are_framed_and_what_stays_is_not(self):
        derived = [
            _genotype("std_conv_3x3", "se_connect"),
            _genotype("std_conv_3x3", "max_pool_3x3"),
            _genotype("std_conv_3x3", "max_pool_3x3"),
        ]

        svg = search_history.kept([1, 2, 3], derived, ["pose/fusion"])

        # One tile, and the one of the legend.
        self.assertLen(re.findall("stroke: #c62828", svg), 2)
        texts = _texts(svg)
        self.assertEqual(texts.count("node 0"), 1)
        self.assertContainsSubset(["1", "2", "3", "se_connect"], texts)

    def test_of_many_epochs_some_are_left_out_but_not_the_last(self):
        count = 3 * search_history.MOST_COLUMNS
        derived = [_genotype("std_conv_3x3")] * count

        svg = search_history.kept(range(1, count + 1), derived, ["pose/fusion"])

        tiles = re.findall("fill: #cfe2f7", svg)
        self.assertLen(tiles, search_history.MOST_COLUMNS + 1)

    def test_changes_are_counted(self):
        first = _genotype("std_conv_3x3", "se_connect")
        second = _genotype("std_conv_3x3", "max_pool_3x3")
        searched = ["pose/fusion", "parsing/fusion"]

        self.assertEqual(search_history.changes(first, second, searched), 1)
        self.assertEqual(search_history.changes(first, first, searched), 0)


class SharesTest(absltest.TestCase):
    def test_a_row_for_every_operation_and_a_panel_for_every_part(self):
        values = {"se_connect": [0.5, 0.25], "skip_connect": [0.5, 0.75]}

        svg = search_history.shares(
            [4, 5], {"pose/fusion": values, "parsing/fusion": values}
        )

        texts = _texts(svg)
        self.assertEqual(texts.count("se_connect"), 2)
        self.assertContainsSubset(["pose/fusion", "parsing/fusion"], texts)
        self.assertContainsSubset(["4", "5"], texts)

    def test_what_is_not_known_is_left_blank(self):
        svg = search_history.shares(
            [1, 2], {"pose/fusion": {"se_connect": [float("nan"), 1.0]}}
        )

        self.assertIn("pose/fusion", _texts(svg))


if __name__ == "__main__":
    absltest.main()

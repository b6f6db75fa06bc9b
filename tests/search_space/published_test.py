"""Tests of the published genotype."""

import json

from absl.testing import absltest

from nppnet_tf import config
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.shared import shared_path


def pairs(nodes):
    return [list(choice) for node in nodes for choice in node]


class PublishedTest(absltest.TestCase):
    def test_is_what_the_authors_published(self):
        path = shared_path("reference/npp_released_genotype.json")
        theirs = json.loads(path.read_text())
        ours = published.released()
        lists = [
            [[list(choice) for choice in node] for node in nodes]
            for nodes in (ours.interaction.pose, ours.interaction.parsing)
        ]

        for branch, upsample in (("pose", 1), ("parsing", 2)):
            gene = getattr(ours.encoder_decoder, branch)
            self.assertEqual(
                pairs(gene.normal.nodes), theirs["encoder"]["normal"]
            )
            self.assertEqual(
                pairs(gene.reduction.nodes), theirs["encoder"]["reduce"]
            )
            self.assertEqual(
                pairs(gene.decoding.nodes),
                theirs["decoder"][f"upsample{upsample}"],
            )
        inter = theirs["interaction"]
        self.assertEqual(lists[0], inter["task1"] + inter["task3"])
        self.assertEqual(lists[1], inter["task2"] + inter["task4"])
        self.assertEqual(
            pairs(ours.fusion.pose.nodes), theirs["fusion"]["pose"]
        )
        self.assertEqual(
            pairs(ours.fusion.parsing.nodes), theirs["fusion"]["par"]
        )

    def test_names_stand_for_genotypes(self):
        self.assertEqual(published.resolve("released"), published.released())
        self.assertEqual(
            published.resolve("baseline").encoder_decoder, genotypes.BASELINE
        )

    def test_preset_takes_any_size_and_sees_the_first_level(self):
        found = published.preset(
            "released", channels=16, cells=4, num_classes=7, num_keypoints=14
        )

        self.assertEqual(found.genotype, published.released())
        self.assertEqual(
            found.config,
            config.NetworkConfig(
                channels=16,
                cells=4,
                num_classes=7,
                num_keypoints=14,
                high_level_inputs=(0, 6, 5, 4),
            ),
        )

    def test_unknown_preset_is_named(self):
        with self.assertRaisesRegex(UserError, "no such preset.*relesed"):
            published.preset("relesed")

    def test_other_words_are_files(self):
        with self.assertRaisesRegex(UserError, "where: relesed"):
            published.resolve("relesed")


if __name__ == "__main__":
    absltest.main()

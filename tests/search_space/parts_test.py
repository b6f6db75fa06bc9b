"""Tests of the parts of a genotype."""

from absl.testing import absltest

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import published


class PartsTest(absltest.TestCase):
    def test_there_are_five_in_either_branch(self):
        names = [part.name for part in parts.PARTS]

        self.assertEqual(
            names[:5],
            [
                "pose/normal",
                "pose/reduction",
                "pose/decoding",
                "pose/interaction",
                "pose/fusion",
            ],
        )
        self.assertEqual(
            names[5:], [name.replace("pose", "parsing") for name in names[:5]]
        )

    def test_every_edge_leaves_in_one_group(self):
        for part in parts.PARTS:
            rows = [row for group in part.groups for row in group]
            self.assertCountEqual(rows, range(len(part.edges)), part.name)

    def test_edges_of_a_group_leave_one_state(self):
        for part in parts.PARTS:
            for group in part.groups:
                sources = {part.edges[row].predecessor for row in group}
                self.assertLen(sources, 1, part.name)

    def test_released_genotype_is_what_its_parts_are(self):
        released = published.released()
        searched = genotypes.Genotype(*[genotypes.SEARCH] * 3)

        filled = genotypes.filled(
            searched,
            {p: genotypes.nodes_of(released, p) for p in parts.PARTS},
        )

        self.assertEqual(filled, released)
        self.assertEqual(genotypes.searched_parts(searched), parts.PARTS)
        self.assertEmpty(genotypes.searched_parts(released))

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(ValueError, "pose/fusion.*'pose/cell'"):
            parts.named("pose/cell")


if __name__ == "__main__":
    absltest.main()

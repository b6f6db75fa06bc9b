"""Both pruning schemes, against hand and against the release."""

import ast
import json

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import topology
from tests.shared import shared_path

NAMES = primitives.RELEASED_INTERACTION_FUSION


def _interaction(arrays, prefix, encoder, decoder):
    """The release keeps encoder and decoder levels apart; ours are one."""
    alpha = [arrays[f"{prefix}alphas{i}"] for i in (encoder, decoder)]
    beta = [arrays[f"{prefix}betas{i}"] for i in (encoder, decoder)]
    return pruning.prune_interaction(
        np.concatenate(alpha), np.concatenate(beta), NAMES
    )


def _nodes(*parts):
    return tuple(
        tuple(genotypes.Choice(*choice) for choice in node)
        for part in parts
        for node in part
    )


def _pairs(choices):
    return _nodes([choices[i : i + 2] for i in range(0, len(choices), 2)])


def _derive(genotype, parameters):
    return pruning.derive(
        genotype, parameters, primitives.PAPER, relaxation.PAPER
    )


class PruneCellTest(absltest.TestCase):
    def test_keeps_two_edges_and_the_best_operation_of_each(self):
        alpha, beta = np.zeros([14, 8]), np.zeros(14)
        # Node 1 has the edges 2, 3, 4 from the states 0, 1, 2.
        alpha[4, 6] = 3.0
        alpha[2, 1] = 2.0
        alpha[2, 2] = 1.9

        gene = pruning.prune_cell(alpha, beta, primitives.PAPER)

        self.assertEqual(
            gene.nodes[1], ((primitives.PAPER[6], 2), (primitives.PAPER[1], 0))
        )

    def test_a_strong_beta_outweighs_a_strong_alpha(self):
        alpha, beta = np.zeros([14, 8]), np.zeros(14)
        alpha[2, 0], alpha[3, 0] = 1.0, 1.0
        beta[4] = 5.0

        gene = pruning.prune_cell(alpha, beta, primitives.PAPER)

        self.assertEqual(gene.nodes[1][0].predecessor, 2)

    def test_equal_shares_take_the_first_edges_and_primitive(self):
        gene = pruning.prune_cell(
            np.full([14, 8], 1e-3), np.full(14, 1e-3), primitives.PAPER
        )

        first = primitives.PAPER[0]
        self.assertEqual(gene.nodes, (((first, 0), (first, 1)),) * 4)


class PruneInteractionTest(absltest.TestCase):
    def test_stops_when_the_shares_sum_to_seven_tenths(self):
        alpha = np.full([28, 8], -50.0)
        # Level 0 has one edge: shares 0.5, 0.25, 0.15, 0.1.
        alpha[0, :4] = np.log([0.15, 0.5, 0.1, 0.25])

        nodes = pruning.prune_interaction(alpha, np.zeros(28), primitives.PAPER)

        names = [choice.primitive for choice in nodes[0]]
        self.assertEqual(names, [primitives.PAPER[1], primitives.PAPER[3]])

    def test_stops_at_four(self):
        nodes = pruning.prune_interaction(
            np.zeros([28, 8]), np.zeros(28), primitives.PAPER
        )

        self.assertEqual([len(node) for node in nodes], [4] * 7)

    def test_keeps_several_operations_on_one_edge(self):
        beta = np.zeros(28)
        beta[2] = 20.0

        nodes = pruning.prune_interaction(
            np.zeros([28, 8]), beta, primitives.PAPER
        )

        self.assertEqual([choice.predecessor for choice in nodes[1]], [1] * 4)

    def test_choices_are_distinct_where_all_shares_are_equal(self):
        nodes = pruning.prune_interaction(
            np.full([28, 8], 1e-3), np.full(28, 1e-3), primitives.PAPER
        )

        for node in nodes:
            self.assertLen(set(node), 4)


class ReleaseTest(parameterized.TestCase):
    @parameterized.named_parameters((f"setting_{i}", i) for i in range(5))
    def test_prunes_as_the_release_does(self, setting):
        arrays = np.load(shared_path("reference/search_genotypes_arch.npz"))
        cases = json.loads(
            shared_path("reference/search_genotypes.json").read_text()
        )
        name = f"rand{setting}"
        expected = next(c["genotype"] for c in cases if c["case"] == name)

        self._assert_same(
            arrays, f"{name}/", expected["inter"], expected["fuse"]
        )

    @parameterized.named_parameters((f"case_{i}", i) for i in (1, 2, 3))
    def test_prunes_as_the_release_does_in_its_own_cases(self, case):
        arrays = np.load(shared_path("reference/ref_arch.npz"))
        inter = ast.literal_eval(str(arrays[f"c{case}_geno_inter"]))
        fuse = ast.literal_eval(str(arrays[f"c{case}_geno_fuse"]))

        self._assert_same(arrays, f"c{case}_", inter, fuse)

    def test_departs_from_the_release_on_exact_ties(self):
        arrays = np.load(shared_path("reference/search_genotypes_arch.npz"))
        cases = json.loads(
            shared_path("reference/search_genotypes.json").read_text()
        )
        release = cases[0]["genotype"]["inter"]["task1"][0]

        node = _interaction(arrays, "init/", 1, 3)[0]

        self.assertEqual(release, [["std_conv_3x3", 0]] * 4)
        self.assertEqual(node, tuple((name, 0) for name in NAMES[:4]))

    def _assert_same(self, arrays, prefix, inter, fuse):
        for encoder, decoder in ((1, 3), (2, 4)):
            self.assertEqual(
                _interaction(arrays, prefix, encoder, decoder),
                _nodes(inter[f"task{encoder}"], inter[f"task{decoder}"]),
            )
        for branch in ("pose", "par"):
            gene = pruning.prune_cell(
                arrays[f"{prefix}alphas_{branch}"],
                arrays[f"{prefix}betas_{branch}"],
                NAMES,
                topology.FUSION_INPUTS,
            )
            self.assertEqual(gene.nodes, _pairs(fuse[branch]))


class DeriveTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(3)

    def _parameters(self, genotype):
        parameters = {}
        for part in [p.name for p in genotypes.searched_parts(genotype)]:
            edges = len(parts.named(part).edges)
            parameters[part] = pruning.ArchitectureArrays(
                self.random.normal(size=(edges, 8)),
                self.random.normal(size=edges),
            )
        return parameters

    def test_first_stage_fills_the_encoder_decoder_alone(self):
        searched = genotypes.Genotype(genotypes.SEARCH)
        parameters = self._parameters(searched)

        derived = _derive(searched, parameters)

        self.assertFalse(derived.is_searched)
        self.assertEqual(derived.interaction, genotypes.OMIT)
        self.assertEqual(derived.fusion, genotypes.OMIT)
        self.assertEqual(
            derived.encoder_decoder.parsing.decoding,
            pruning.prune_cell(
                *parameters["parsing/decoding"], primitives.PAPER
            ),
        )

    def test_second_stage_leaves_the_encoder_decoder_untouched(self):
        gene = published.released().encoder_decoder
        searched = genotypes.Genotype(gene, genotypes.SEARCH, genotypes.SEARCH)

        derived = _derive(searched, self._parameters(searched))

        self.assertEqual(derived.encoder_decoder, gene)
        self.assertFalse(derived.is_searched)

    def test_result_survives_its_own_file_format(self):
        searched = genotypes.Genotype(
            genotypes.SEARCH, genotypes.SEARCH, genotypes.SEARCH
        )

        derived = _derive(searched, self._parameters(searched))

        self.assertEqual(
            genotypes.Genotype.from_json(derived.to_json()), derived
        )

    def test_missing_parameters_are_named(self):
        with self.assertRaisesRegex(ValueError, "pose/normal"):
            _derive(genotypes.Genotype(genotypes.SEARCH), {})

    def test_unknown_part_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "pose/cell"):
            parts.named("pose/cell")


if __name__ == "__main__":
    absltest.main()

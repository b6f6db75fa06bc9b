"""Tests of nppnet_tf.search_space.stages."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages


class StagesTest(parameterized.TestCase):
    def test_first_stage_searches_the_encoder_decoder_alone(self):
        genotype = stages.start("encoder_decoder")

        self.assertEqual(genotype, genotypes.Genotype("search", "omit", "omit"))

    def test_second_stage_keeps_the_encoder_decoder(self):
        known = published.released()

        genotype = stages.start("interaction_fusion", known)

        self.assertEqual(genotype.encoder_decoder, known.encoder_decoder)
        self.assertEqual(genotype.interaction, "search")
        self.assertEqual(genotype.fusion, "search")

    def test_second_stage_may_leave_a_part_out(self):
        genotype = stages.start(
            "interaction_fusion", published.baseline(), interaction="omit"
        )

        self.assertEqual(
            genotype, genotypes.Genotype("baseline", "omit", "search")
        )

    @parameterized.named_parameters(
        ("none", None, "nothing"),
        ("searched", genotypes.Genotype("search"), "still searched"),
    )
    def test_second_stage_needs_an_encoder_decoder(self, known, found):
        with self.assertRaisesRegex(UserError, found):
            stages.start("interaction_fusion", known)

    def test_searching_nothing_is_an_error(self):
        with self.assertRaisesRegex(UserError, "omit in both"):
            stages.start(
                "interaction_fusion", published.released(), "omit", "omit"
            )

    def test_unknown_stage_is_an_error(self):
        with self.assertRaisesRegex(UserError, "`stage`.*found: third"):
            stages.start("third")

    def test_first_stage_takes_no_genotype(self):
        with self.assertRaisesRegex(UserError, "starts from nothing"):
            stages.start("encoder_decoder", published.released())


if __name__ == "__main__":
    absltest.main()

"""Tests of nppnet_tf.benchmarks.subjects."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages


def size(channels):
    """Returns a size of which the channels may not fit."""
    return measuring.Size(channels, 4, (32, 32), 1)


class SubjectTest(parameterized.TestCase):
    def test_first_stage_searches_and_the_second_keeps_what_is_known(self):
        first = subjects.genotype_of(
            subjects.SEARCH_STEP, stages.ENCODER_DECODER, "released", None
        )
        second = subjects.genotype_of(
            subjects.SEARCH_STEP, "interaction_fusion", "released", None
        )

        self.assertEqual(first.encoder_decoder, genotypes.SEARCH)
        self.assertEqual(
            second.encoder_decoder, published.released().encoder_decoder
        )
        self.assertEqual(second.interaction, genotypes.SEARCH)
        self.assertEqual(second.fusion, genotypes.SEARCH)

    def test_preset_takes_the_place_of_the_genotype_in_inference_alone(self):
        inference = subjects.genotype_of(
            subjects.INFERENCE, stages.ENCODER_DECODER, "baseline", "released"
        )

        self.assertEqual(inference, published.released())
        self.assertIsNone(
            subjects.genotype_of(
                subjects.INPUT_PIPELINE, stages.ENCODER_DECODER, "x", None
            )
        )

    @parameterized.parameters(
        (subjects.SEARCH_STEP, stages.INTERACTION_FUSION, None, False),
        (subjects.SEARCH_STEP, stages.ENCODER_DECODER, None, True),
        (subjects.TRAIN_STEP, stages.ENCODER_DECODER, None, False),
        (subjects.INFERENCE, stages.ENCODER_DECODER, None, False),
        (subjects.INFERENCE, stages.INTERACTION_FUSION, "released", True),
        (subjects.IMPORT, stages.INTERACTION_FUSION, None, True),
        (subjects.READING, stages.INTERACTION_FUSION, None, True),
    )
    def test_genotype_is_idle_where_another_gives_the_same(
        self, what, stage, preset, is_idle
    ):
        idle = [name for name, _ in subjects.idle_settings(what, stage, preset)]

        self.assertEqual("genotype" in idle, is_idle)
        same = [
            subjects.genotype_of(what, stage, name, preset)
            for name in ("baseline", "unet")
        ]
        self.assertEqual(same[0] == same[1], is_idle)

    def test_every_setting_is_of_something_that_is_measured(self):
        nothing = {
            name
            for name, _ in subjects.idle_settings(
                None, stages.INTERACTION_FUSION, None
            )
        }

        self.assertEqual(nothing, set(subjects.TAKEN_BY))
        for taken_by in subjects.TAKEN_BY.values():
            self.assertContainsSubset(taken_by, subjects.NAMES)

    def test_training_takes_a_derived_network(self):
        self.assertEqual(
            subjects.genotype_of(
                subjects.TRAIN_STEP, stages.ENCODER_DECODER, "baseline", None
            ),
            published.resolve("baseline"),
        )

    def test_a_preset_has_sizes_of_its_own(self):
        genotype = published.released()

        plain = subjects.network_of(genotype, None, size(16))
        preset = subjects.network_of(genotype, "released", size(16))

        self.assertEqual(plain.config.channels, preset.config.channels)
        self.assertNotEqual(
            plain.config.high_level_inputs, preset.config.high_level_inputs
        )

    def test_impossible_sizes_are_refused(self):
        subjects.check_size(published.released(), size(16))
        subjects.check_size(None, size(10))
        with self.assertRaisesRegex(UserError, "no network has this size"):
            subjects.check_size(published.released(), size(10))


if __name__ == "__main__":
    absltest.main()

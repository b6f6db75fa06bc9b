"""Tests of genotypes within a supernet."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import random_genotype
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.study import searches
from nppnet_tf.study.settings import StudyConfig
from nppnet_tf.training import checkpoints
from tests.training import tiny_network


class SearchesTest(absltest.TestCase):
    def test_a_chosen_genotype_holds_all_of_the_share(self):
        network = tiny_network.TinyNetwork()
        genotype = random_genotype.draw(
            tiny_network.SUPERNET, np.random.default_rng(1)
        )

        searches.choose(network, genotype)

        shares = pruning.kept_shares(
            genotype,
            checkpoints.architecture_arrays(network),
            network.space.primitives,
            relaxations.named(relaxations.SOFTMAX),
        )
        self.assertLen(shares, len(genotypes.searched_parts(network.genotype)))
        for share in shares.values():
            self.assertAlmostEqual(share, 1, delta=1e-6)

    def test_what_cannot_be_searched_is_refused(self):
        searches.check_strategy("gdas", StudyConfig())
        for name, message in (
            ("other", "unknown strategy.*nppnet.*gdas.*other"),
            ("random", "unknown strategy"),
            ("pc_darts", "channels.*multiple of 32"),
        ):
            with self.assertRaisesRegex(UserError, message):
                searches.check_strategy(name, StudyConfig(channels=16))

    def test_a_strategy_sets_its_components(self):
        config = StudyConfig(search_epochs=5)

        found = {
            name: searches.Search(config, name, 0, None, None, None)
            .run_config()
            .schedule
            for name in ("nppnet", "gdas", "beta_darts", "sdarts_rs")
        }

        self.assertEqual(found["nppnet"], config.search(0).schedule)
        self.assertEqual(found["gdas"].relaxation, "gumbel")
        self.assertEqual(found["gdas"].entropy_weight, 0)
        self.assertEqual(found["beta_darts"].regularizer_ramp_epochs, 4)
        self.assertEqual(found["sdarts_rs"].perturbation_ramp_epochs, 5)
        self.assertEqual(searches.space_of("gdas").channel_proportion, 1)


if __name__ == "__main__":
    absltest.main()

"""Tests of the flags of a search strategy."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import strategies
from tools import search
from tools.command_line import strategy_flags


class StrategyFlagsTest(parameterized.TestCase):
    def _filled(self, *words):
        search.FLAGS.read(["search", *words])
        strategy_flags.fill(search.FLAGS)
        return search.FLAGS

    @parameterized.parameters(*(each.name for each in strategies.known()))
    def test_a_strategy_is_its_components(self, name):
        strategy = strategies.named(name)

        found = self._filled(f"--search_strategy={name}")

        for setting, value in strategy.settings.items():
            self.assertEqual(found[setting].value, value)
        self.assertEqual(
            found["channel_proportion"].value, strategy.channel_proportion or 2
        )

    def test_a_component_that_is_given_stays(self):
        found = self._filled(
            "--channel_proportion=2",
            "--search_strategy=gdas",
            "--relaxation=reinmax",
        )

        self.assertEqual(found["relaxation"].value, "reinmax")
        self.assertEqual(found["channel_proportion"].value, 2)
        self.assertEqual(found["entropy_weight"].value, 0)

    def test_flag_file_of_a_run_holds_its_components(self):
        text = self._filled("--search_strategy=snas").resolved()

        self.assertIn("--relaxation=concrete\n", text)
        self.assertIn("--channel_proportion=1\n", text)

    def test_what_was_filled_is_forgotten_by_the_next_command(self):
        self._filled("--search_strategy=gdas")

        self.assertEqual(self._filled()["relaxation"].value, "softmax")

    @parameterized.parameters(
        "--epochs=3", "--stop_rule=darts_plus", "--relaxation=gumbel"
    )
    def test_random_takes_no_flag_of_a_search(self, flag):
        name = flag.partition("=")[0]
        with self.assertRaisesRegex(UserError, f"drawn, not.*{name}"):
            self._filled("--search_strategy=random", flag)

    @parameterized.parameters(
        ("perturbation_size=0.5", "perturbation=random_smoothing"),
        ("regularizer_weight=0.5", "regularizer=beta_decay"),
        ("stop_skips=3", "stop_rule=darts_plus"),
        ("compare_every=3", "stop_rule=oles"),
        ("skip_dropout_decay=0.5", "skip_dropout=0.3"),
        ("target_cells=8", "target_ms=3"),
        ("max_rollbacks=2", "on_nonfinite=rollback"),
    )
    def test_settings_of_what_is_not_in_use_are_refused(self, flag, component):
        name = flag.partition("=")[0]
        with self.assertRaisesRegex(
            UserError, f"not in use; where: --{flag}; .*--{component[:6]}"
        ):
            self._filled(f"--{flag}")

        self.assertTrue(
            self._filled(f"--{flag}", f"--{component}")[name].present
        )

    def test_flag_file_of_a_run_may_name_what_is_not_in_use(self):
        words = ("--search_strategy=drnas", "--regularizer=none")
        lines = self._filled(*words).resolved().splitlines()

        self._filled(*(line for line in lines if line.startswith("--")))

    def test_random_takes_what_says_what_to_draw(self):
        found = self._filled(
            "--search_strategy=random", "--seed=3", "--target_gmac=0.5"
        )

        self.assertEqual(strategy_flags.target(found), (0.5, 0.05))
        self.assertIsNone(strategy_flags.target(self._filled()))


if __name__ == "__main__":
    absltest.main()

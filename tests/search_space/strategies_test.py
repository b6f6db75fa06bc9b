"""Tests of strategies by name: components that are there, defaults kept."""

import dataclasses
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config as configuration
from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space import sources
from nppnet_tf.search_space import strategies
from nppnet_tf.training import schedules
from tests import shared

# All there are, so that none is forgotten here.
_KINDS = tuple(strategies._COMPONENTS)
NAMES = (
    "nppnet",
    "pc_darts",
    "darts",
    "gdas",
    "snas",
    "drnas",
    "sdarts_rs",
    "beta_darts",
    "random",
)


class StrategyTest(parameterized.TestCase):
    def test_there_are_nine_the_papers_first(self):
        self.assertEqual([each.name for each in strategies.known()], [*NAMES])

    def test_the_papers_is_what_a_search_does_without_one(self):
        nppnet = strategies.named("nppnet")

        self.assertEqual(nppnet.configured(SearchConfig()), SearchConfig())
        self.assertIsNone(nppnet.channel_proportion)

    @parameterized.parameters(*NAMES)
    def test_its_components_are_there(self, name):
        found = strategies.named(name).configured(SearchConfig())

        configuration.check(found)
        relaxation.named(found.relaxation)
        for kind in ("perturbation", "regularizer", "stop_rule"):
            strategies.require_component(kind, getattr(found, kind))

    def test_beta_darts_weighs_by_half_the_number_of_the_epoch(self):
        found = strategies.named("beta_darts").configured(SearchConfig())

        ramp = schedules.Ramp(
            found.regularizer_weight, ramp_epochs=found.regularizer_ramp_epochs
        )
        for epoch in range(found.epochs):
            self.assertAlmostEqual(ramp(epoch), 0.5 * (epoch + 1))

    def test_no_two_are_alike(self):
        made = {
            (str(dict(each.settings)), each.channel_proportion)
            for each in strategies.known()
            if each.name != strategies.RANDOM
        }

        self.assertLen(made, len(NAMES) - 1)

    def test_what_a_user_has_set_stays(self):
        own = SearchConfig(relaxation="concrete", epochs=3)

        found = strategies.named("gdas").configured(own)

        self.assertEqual(found, dataclasses.replace(own, entropy_weight=0.0))

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "nppnet, .*found: evolution"):
            strategies.named("evolution")
        with self.assertRaisesRegex(UserError, "perturbation.*found: tide"):
            strategies.require_component("perturbation", "tide")

    def test_ones_own_is_registered_once(self):
        own = strategies.Strategy("own", sources.DARTS, {"epochs": 7})
        with mock.patch.dict(strategies._KNOWN):
            strategies.register(own)

            found = strategies.named("own").configured(SearchConfig())
            self.assertEqual(found.epochs, 7)
            with self.assertRaisesRegex(ValueError, "own"):
                strategies.register(own)

    def test_setting_that_no_search_has_is_refused(self):
        own = strategies.Strategy("own", sources.DARTS, {"epsilon": 1})

        with self.assertRaisesRegex(ValueError, "epsilon"):
            strategies.register(own)


class PageTest(absltest.TestCase):
    """docs/search.md tells what there is."""

    def test_every_strategy_and_component_has_its_row(self):
        page = (shared.REPOSITORY / "docs" / "search.md").read_text()
        kinds = {kind: strategies.components(kind) for kind in _KINDS}
        kinds["relaxation"] = relaxation.known()
        rows = [
            f"| `{each.name}` | {_settings(each)} | {_paper(each.source)} | "
            f"{each.source.answers} |"
            for each in strategies.known()
        ]
        rows += [
            f"| `--{kind}` | `{each.name}` | {each.meaning} | "
            f"{_paper(each.source)} |"
            for kind, found in kinds.items()
            for each in found
            if each.name != strategies.NONE
        ]

        self.assertEmpty([row for row in rows if row not in page])


def _paper(source):
    return f"[{source.title}]({source.link}), {source.place}"


def _settings(strategy):
    values = dict(strategy.settings)
    if strategy.channel_proportion:
        values["channel_proportion"] = strategy.channel_proportion
    flags = [
        f"`--{name}={value:g}`"
        if isinstance(value, float)
        else f"`--{name}={value}`"
        for name, value in values.items()
    ]
    return " ".join(flags) or "nothing"


class SourceTest(absltest.TestCase):
    def test_every_idea_names_its_paper_and_what_it_answers(self):
        found = [
            *(each.source for each in strategies.known()),
            *(each.source for each in relaxation.known()),
            *(
                each.source
                for kind in _KINDS
                for each in strategies.components(kind)
            ),
        ]

        for source in found:
            self.assertTrue(all(source), source)
            self.assertStartsWith(source.link, "https://")


if __name__ == "__main__":
    absltest.main()

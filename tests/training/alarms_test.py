"""Every sickness raises its alarm; a search that fares well raises none."""

import math

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.training import alarms

_PRIMITIVES = ("std_conv_3x3", "skip_connect", "max_pool_3x3", "se_connect")


def _record(epoch, **changes):
    """An epoch of a search that fares well, the third of ten at first."""
    part = {"skip_share": 0.25, "kept_skips": 0.25}
    part["shares"] = dict.fromkeys(_PRIMITIVES, 0.25)
    return {
        "epoch": epoch,
        "architecture_moves": epoch > 0,
        "entropy_mean": math.log(4) * (1 - 0.08 * epoch),
        "alpha_spread": 0.1 * epoch,
        "loss_gap": {"pose_loss": 0.1, "parsing_loss": -0.02},
        "parts": {"pose/normal": part, "parsing/fusion": dict(part)},
        **changes,
    }


def _of_part(epoch, **measures):
    record = _record(epoch)
    record["parts"]["parsing/fusion"].update(measures)
    return record


def _healthy(epochs=10):
    return [_record(epoch) for epoch in range(epochs)]


class AlarmsTest(parameterized.TestCase):
    def test_a_search_that_fares_well_raises_none(self):
        records = _healthy()

        for epochs in range(1, len(records) + 1):
            self.assertEqual(alarms.found(records[:epochs], 10), {})

    @parameterized.named_parameters(
        (
            "collapse_of_shares",
            "collapse",
            [_of_part(4, skip_share=0.51)],
            "51% of parsing/fusion",
        ),
        (
            "collapse_of_what_is_kept",
            "collapse",
            [_of_part(epoch, kept_skips=0.625) for epoch in (4, 5, 6)],
            "62% skips in parsing/fusion",
        ),
        (
            "frozen",
            "frozen",
            [
                _record(epoch, entropy_mean=1.38, alpha_spread=0.301)
                for epoch in (4, 5, 6)
            ],
            "moved by 0.001 in 3 epochs",
        ),
        (
            "memorized",
            "memorized",
            [
                _record(epoch, loss_gap={"parsing_loss": 0.6})
                for epoch in (4, 5, 6)
            ],
            "parsing_loss is 60% higher",
        ),
        ("early", "early", [_record(1, entropy_mean=0.2)], "after 1 of 9"),
    )
    def test_a_sickness_raises_its_alarm_alone(self, name, sick, words):
        records = [*_healthy(sick[0]["epoch"]), *sick]

        seen = alarms.found(records, 10)

        self.assertEqual(list(seen), [name])
        self.assertIn(words, seen[name])
        # One epoch less, and it might still be chance.
        self.assertEqual(alarms.found(records[:-1], 10), {})

    def test_alpha_of_an_untouched_search_is_frozen_from_its_start(self):
        still = [
            _record(epoch, architecture_moves=True, alpha_spread=0.0)
            | {"entropy_mean": math.log(4)}
            for epoch in range(3)
        ]

        self.assertEqual(list(alarms.found(still, 10)), ["frozen"])
        self.assertEqual(alarms.found(still[:2], 10), {})

    def test_a_search_that_has_decided_may_stand_still(self):
        still = [
            _record(epoch, entropy_mean=0.01, alpha_spread=3.0)
            for epoch in (7, 8, 9)
        ]

        self.assertEqual(alarms.found([*_healthy(7), *still], 10), {})

    def test_records_of_older_runs_raise_none(self):
        records = [
            {"epoch": epoch, "entropy_mean": 2.0, "parts": {"pose/normal": {}}}
            for epoch in range(5)
        ]

        self.assertEqual(alarms.found(records, 10), {})

    def test_a_line_is_said_once_and_again_after_an_epoch_without(self):
        sick = {"alarms": {"memorized": "seen"}}
        records = [
            _record(0),
            *(_record(1, **sick), _record(2, **sick)),
            *(_record(3), _record(4, **sick)),
        ]

        said = [
            len(alarms.raised(records[: number + 1])) for number in range(5)
        ]

        self.assertEqual(said, [0, 1, 0, 0, 1])
        (line,) = alarms.raised(records)
        self.assertStartsWith(line, "alarm in epoch 5, memorized: seen; take")
        self.assertNotIn("\n", line)

    def test_it_stops_a_run_once(self):
        sick = {"alarms": {"memorized": "seen"}}
        records = [_record(0), _record(1, **sick)]

        self.assertEqual(alarms.unread([]), [])
        self.assertEqual(alarms.unread(records[:1]), [])
        self.assertEqual(alarms.unread(records), alarms.raised(records))
        stopped = [records[0], {**records[1], alarms.STOPPED: True}]
        self.assertEqual(alarms.unread(stopped), [])
        self.assertEqual(alarms.unread([*stopped, _record(2, **sick)]), [])

    def test_a_remedy_names_what_there_is(self):
        early = {"alarms": {"early": "seen"}}

        (without,) = alarms.raised([_record(0), _record(1, **early)])
        (with_it,) = alarms.raised(
            [_record(0, entropy_weight=0.5), _record(1, **early)]
        )

        self.assertNotIn("entropy_", without)
        self.assertIn("--warmup_epochs", without)
        self.assertIn("lower --entropy_weight", with_it)

    def test_the_first_epoch_has_no_earlier_genotype(self):
        collapse = {"alarms": {"collapse": "seen"}}

        (first,) = alarms.raised([_record(0, **collapse)])
        (second,) = alarms.raised([_record(0), _record(1, **collapse)])

        self.assertIn("; search again with", first)
        self.assertIn("; take an earlier genotype", second)


if __name__ == "__main__":
    absltest.main()

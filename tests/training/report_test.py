"""Tests of what a run says of an epoch."""

from absl.testing import absltest

from nppnet_tf.training import report


class EpochLineTest(absltest.TestCase):
    def test_line_of_an_epoch_says_what_is_left(self):
        record = {
            "epoch": 1,
            "seconds": 30.0,
            "losses": {"loss": 1.25, "architecture_loss": 2.5},
            "entropy_mean": 2.0,
        }

        line = report.epoch_line(record, ({}, record), 4)

        self.assertEqual(
            line,
            "epoch 2/4: loss 1.2500, architecture loss 2.5000, entropy 2.0000, "
            "30 s, about 1:00 min left",
        )

    def test_weights_that_a_stop_rule_holds_are_told(self):
        record = {
            "epoch": 1,
            "seconds": 1.0,
            "losses": {"loss": 1.0},
            "stop_rule": {"held": 3, "of": 108},
        }

        line = report.epoch_line(record, ({}, record), 2)

        self.assertEqual(
            line, "epoch 2/2: loss 1.0000, 3 of 108 operations held, 1 s"
        )

    def test_first_epoch_promises_nothing(self):
        record = {"epoch": 0, "seconds": 90.0, "losses": {"loss": 1.0}}

        line = report.epoch_line(record, (record,), 4)

        self.assertEqual(line, "epoch 1/4: loss 1.0000, 1:30 min")

    def test_waiting_for_samples_is_told_where_it_is_much(self):
        record = {"epoch": 0, "seconds": 90.0, "losses": {"loss": 1.0}}

        lines = [
            report.epoch_line({**record, "input_wait": wait}, (record,), 4)
            for wait in (0.019, 0.3)
        ]

        self.assertEqual(
            lines,
            [
                "epoch 1/4: loss 1.0000, 1:30 min",
                "epoch 1/4: loss 1.0000, 1:30 min, 30% of it waiting for "
                "samples",
            ],
        )

    def test_scores_say_at_which_size_they_were_measured(self):
        record = {
            "epoch": 3,
            "seconds": 1.0,
            "losses": {"loss": 1.0},
            "validation": {"mean_iou": 0.5, "pckh": 0.25, "loss": 2.0},
        }

        line = report.epoch_line(record, (record,) * 4, 4)

        self.assertEqual(
            line,
            "epoch 4/4: loss 1.0000, validation mean_iou 0.5000 (network's "
            "size), validation pckh 0.2500 (network's size), 1 s",
        )


if __name__ == "__main__":
    absltest.main()

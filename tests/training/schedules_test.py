"""Learning rates and the weight of the entropy, epoch by epoch."""

from absl.testing import absltest

from nppnet_tf import config
from nppnet_tf.training import schedules


class StepDecayTest(absltest.TestCase):
    def test_drops_at_the_paper_s_epochs(self):
        search = config.SearchConfig()
        schedule = schedules.StepDecay(
            search.learning_rate, search.drop_epochs, search.drop_factor
        )

        rates = [schedule(epoch) for epoch in (0, 34, 35, 44, 45, 49)]

        for rate, expected in zip(
            rates, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], strict=True
        ):
            self.assertAlmostEqual(rate, expected, places=12)

    def test_without_drops_it_stays(self):
        self.assertEqual(schedules.StepDecay(0.5)(1000), 0.5)


class RampTest(absltest.TestCase):
    def test_grows_linearly_and_stays(self):
        ramp = schedules.Ramp(4.0, start_epoch=2, ramp_epochs=3)

        values = [ramp(epoch) for epoch in range(8)]

        self.assertEqual(values, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0])

    def test_without_a_ramp_it_starts_in_full(self):
        self.assertEqual(schedules.Ramp(4.0)(0), 4.0)


if __name__ == "__main__":
    absltest.main()

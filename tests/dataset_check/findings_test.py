"""Tests of nppnet_tf.dataset_check.findings."""

from absl.testing import absltest

from nppnet_tf.dataset_check import findings


class KindsTest(absltest.TestCase):
    def test_every_name_of_the_module_is_a_kind(self):
        words = {"ERROR", "WARNING", "NOTE", "WHOLE_SPLIT"}
        names = {
            value
            for name, value in vars(findings).items()
            if name.isupper() and isinstance(value, str) and name not in words
        }

        self.assertEqual(names, set(findings.KINDS))

    def test_kinds_stand_from_the_worst_to_the_least(self):
        severities = (findings.ERROR, findings.WARNING, findings.NOTE)
        ranks = [
            severities.index(kind.severity) for kind in findings.KINDS.values()
        ]

        self.assertEqual(ranks, sorted(ranks))
        self.assertTrue(all(k.repair for k in findings.KINDS.values()))


if __name__ == "__main__":
    absltest.main()

"""Tests of what was hoped for."""

from absl.testing import absltest

from nppnet_tf.study import plan
from nppnet_tf.study import targets


def _difference(mean, errors, count=5):
    return {
        "mean": mean,
        "standard_errors": errors,
        "values": [mean] * count,
    }


def _summary(differences=None, searches=(), correlation=None):
    rows = dict.fromkeys(plan.TABLE_5, {})
    return {
        "strategies": ["nppnet"],
        "reference": "nppnet",
        "differences": {"steps": differences or {}, "time": {}},
        "searches": [{"largest_skip_share": share} for share in searches],
        "table_5": correlation
        and {
            measure: {"rows": rows, "correlation": {"spearman": correlation}}
            for measure in ("mean_iou", "pckh")
        },
    }


class TargetsTest(absltest.TestCase):
    def _found(self, words, **of_summary):
        (found,) = (
            target
            for target in targets.of(_summary(**of_summary))
            if words in target.wanted
        )
        return found

    def test_random_genotypes_are_to_be_beaten_by_two_errors(self):
        words = "random genotype by 2 standard errors in mIoU, equal steps"
        for errors, is_met in ((1.9, False), (2.1, True)):
            found = self._found(
                words,
                differences={"random": {"mean_iou": _difference(0.02, errors)}},
            )
            self.assertEqual(found.is_met, is_met)

    def test_baselines_are_to_be_reached(self):
        for mean, errors, is_met in ((-0.01, -0.5, False), (0.01, 0.1, True)):
            found = self._found(
                "above the U-Net in PCKh@0.5, equal steps",
                differences={"unet": {"pckh": _difference(mean, errors)}},
            )
            self.assertEqual(found.is_met, is_met)

    def test_one_seed_decides_nothing(self):
        found = self._found(
            "above the U-Net in mIoU, equal steps",
            differences={"unet": {"mean_iou": _difference(0.02, None, 1)}},
        )

        self.assertIsNone(found.is_met)
        self.assertIn("+0.020", found.found)

    def test_the_worst_search_decides_whether_one_collapses(self):
        self.assertTrue(self._found("collapses", searches=(0.1, 0.5)).is_met)
        self.assertFalse(self._found("collapses", searches=(0.1, 0.6)).is_met)

    def test_rows_are_to_be_in_the_papers_order(self):
        words = "eight rows as in Table 5 in mIoU"
        self.assertTrue(self._found(words, correlation=0.7).is_met)
        self.assertFalse(self._found(words, correlation=0.6).is_met)

    def test_what_is_not_measured_is_neither_met_nor_missed(self):
        found = targets.of(_summary())

        self.assertLen(found, 15)
        self.assertEqual({target.is_met for target in found}, {None})


if __name__ == "__main__":
    absltest.main()

"""Tests of nppnet_tf.dataset_check.report."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check import report
from nppnet_tf.dataset_check.findings import Finding


def _report(*found):
    source = Source(LIP, samples=[], facts={"split": "train"})
    return report.document({"train": source}, {"train": []}, {"train": found})


class LinesTest(parameterized.TestCase):
    def test_a_single_sample_is_named_with_what_is_wrong(self):
        document = _report(Finding("a", findings.EMPTY_POSE, "no joint"))

        self.assertEqual(
            report.lines(document),
            [
                "warning empty_pose: 1: train/a (no joint); repair: look "
                "whether nobody is in the picture"
            ],
        )

    def test_of_many_samples_five_are_named(self):
        document = _report(
            *(Finding(name, findings.EMPTY_POSE, "") for name in "abcdef")
        )

        names = "train/a, train/b, train/c, train/d, train/e, ...;"
        self.assertIn(f"empty_pose: 6: {names}", report.lines(document)[0])

    def test_nothing_is_said_to_be_nothing(self):
        self.assertEqual(report.lines(_report()), ["nothing found"])

    def test_only_errors_are_errors(self):
        warning = Finding("a", findings.EMPTY_POSE, "")
        error = Finding("a", findings.UNREADABLE, "")

        self.assertFalse(report.has_errors(_report(warning)))
        self.assertTrue(report.has_errors(_report(warning, error)))

    @parameterized.named_parameters(
        (
            "smaller_than_published",
            100,
            50.0,
            30462,
            "; at this rate .* take 10:09 min$",
        ),
        ("as_large_as_published", 30462, 50.0, 30462, "in a second$"),
        ("unknown", 100, 50.0, None, "in a second$"),
        ("too_few_to_tell", 1, 0.0, 30462, "in a second$"),
    )
    def test_rate_tells_what_the_published_split_takes(
        self, total, rate, published, text
    ):
        self.assertRegex(report.rate_line(total, rate, published), text)


if __name__ == "__main__":
    absltest.main()

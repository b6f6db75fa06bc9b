"""Tests of nppnet_tf.dataset_check.survey."""

from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check import survey
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError


def _judge(source, **refused):
    return survey.judge(
        {"train": source}, {"train": []}, refused, lambda source: ()
    )


class JudgeTest(absltest.TestCase):
    def test_splits_that_were_not_read_are_findings(self):
        found = _judge(
            Source(LIP, samples=[]),
            val=UserError("cannot be read", "val_id.txt"),
            test=AbsentSplitError("has no such split", "test"),
        )

        self.assertEqual(
            {name: [each.kind for each in found[name]] for name in found},
            {
                "train": [],
                "val": [findings.SPLIT_UNREADABLE],
                "test": [findings.SPLIT_ABSENT],
            },
        )

    def test_annotations_without_a_picture_are_findings(self):
        source = Source(
            LIP,
            samples=[],
            poses_without_picture=("a",),
            label_maps_without_picture=("b",),
        )

        self.assertEqual(
            [(each.record_id, each.kind) for each in _judge(source)["train"]],
            [
                ("a", findings.POSE_WITHOUT_PICTURE),
                ("b", findings.LABEL_MAP_WITHOUT_PICTURE),
            ],
        )


class ExamineTest(absltest.TestCase):
    def test_no_samples_have_no_rate(self):
        sources = {"train": Source(LIP, samples=[])}

        self.assertEqual(survey.examine(sources, 1), ({"train": []}, 0.0))


if __name__ == "__main__":
    absltest.main()

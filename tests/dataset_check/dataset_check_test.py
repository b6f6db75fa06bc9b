"""Tests of nppnet_tf.dataset_check.dataset_check: numbers worked by hand."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.dataset_check import dataset_check
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.examination import Examined


def _examined(name, **changes):
    """A sample of its own content, with label map and pose."""
    random = np.random.default_rng(list(name.encode()))
    values = {
        "size": (40, 30),
        "content": name,
        "fingerprint": random.integers(0, 2, 128).astype(bool),
        "class_pixels": np.full(20, 60, np.int64),
        "visibility": np.full(16, 2, np.int32),
        "on_parts": np.ones(16),
    }
    return Examined(name, **{**values, **changes})


def _kinds(found, split):
    return [(each.record_id, each.kind) for each in found[split]]


class JudgeTest(parameterized.TestCase):
    def test_different_samples_are_no_finding(self):
        splits = {"train": [_examined("a"), _examined("b")]}

        self.assertEqual(dataset_check.judge(splits, LIP), {"train": []})

    def test_same_content_is_told_for_the_later_one(self):
        first = _examined("a")
        later = _examined("b", content="a", fingerprint=first.fingerprint)

        within = dataset_check.judge({"train": [first, later]}, LIP)
        between = dataset_check.judge({"train": [first], "val": [later]}, LIP)

        self.assertEqual(
            _kinds(within, "train"), [("b", findings.DUPLICATED_PICTURE)]
        )
        self.assertEqual(
            _kinds(between, "val"), [("b", findings.PICTURE_IN_SPLITS)]
        )
        self.assertEmpty(between["train"])

    @parameterized.parameters((4, True), (5, False))
    def test_similar_pictures_differ_in_four_bits(self, bits, is_similar):
        first = _examined("a")
        changed = first.fingerprint.copy()
        changed[:bits] ^= True

        found = dataset_check.judge(
            {"train": [first], "val": [_examined("b", fingerprint=changed)]},
            LIP,
        )

        expected = [("b", findings.SIMILAR_IN_SPLITS)] if is_similar else []
        self.assertEqual(_kinds(found, "val"), expected)

    def test_similar_pictures_are_found_across_portions(self):
        samples = [_examined(f"s{number}") for number in range(2100)]
        samples[2050].fingerprint = samples[3].fingerprint.copy()
        samples[1030].fingerprint = samples[1029].fingerprint.copy()

        found = dataset_check.judge({"train": samples}, LIP)

        self.assertCountEqual(
            _kinds(found, "train"),
            [
                ("s2050", findings.SIMILAR_PICTURE),
                ("s1030", findings.SIMILAR_PICTURE),
            ],
        )

    def test_people_of_one_picture_belong_into_one_split(self):
        people = [_examined(name, picture_id="p") for name in ("a", "b", "c")]

        found = dataset_check.judge(
            {"train": people[:2], "val": people[2:]}, LIP
        )

        self.assertEmpty(found["train"])
        self.assertEqual(
            _kinds(found, "val"), [("c", findings.PICTURE_IN_SPLITS)]
        )

    @parameterized.parameters(
        (20, 0, False), (10, 10, False), (9, 11, True), (8, 11, False)
    )
    def test_sides_of_a_split_are_judged_by_twenty(self, own, other, swapped):
        samples = [_examined("a", own_side=own, other_side=other)]

        found = dataset_check.judge({"train": samples}, LIP)

        expected = [("*", findings.SIDES_SWAPPED_EVERYWHERE)]
        self.assertEqual(_kinds(found, "train"), expected if swapped else [])

    @parameterized.parameters(
        (200, 79, 0, True), (200, 80, 0, False), (199, 0, 0, False),
        (200, 79, 20, False),
    )  # fmt: skip
    def test_sides_without_poses_are_judged_by_many(
        self, votes, right, own, suspected
    ):
        samples = [_examined("a", left_of=(votes, right), own_side=own)]

        found = dataset_check.judge({"train": samples}, LIP)

        expected = [("*", findings.SIDES_UNLIKELY)]
        self.assertEqual(_kinds(found, "train"), expected if suspected else [])

    def test_what_most_lack_is_not_missing(self):
        lacking = {"visibility": None, "on_parts": None}
        few = [_examined("a", **lacking), _examined("b"), _examined("c")]
        most = [_examined("a"), *(_examined(n, **lacking) for n in "bc")]

        self.assertEqual(
            _kinds(dataset_check.judge({"train": few}, LIP), "train"),
            [("a", findings.MISSING_POSE)],
        )
        self.assertEmpty(dataset_check.judge({"train": most}, LIP)["train"])


class ClassesUsedTest(absltest.TestCase):
    def _found(self, *classes, count=3):
        pixels = np.zeros(20, np.int64)
        pixels[list(classes)] = 60
        samples = [
            _examined(str(number), class_pixels=pixels)
            for number in range(count)
        ]
        return dataset_check.judge({"train": samples}, LIP)["train"]

    def test_ids_that_count_from_one_have_no_background(self):
        (found,) = self._found(*range(1, 20))

        self.assertEqual(found.kind, findings.NO_BACKGROUND)
        self.assertEqual(found.record_id, findings.WHOLE_SPLIT)
        self.assertIn("no pixel of Background, 0, in 3", found.detail)

    def test_most_classes_in_no_label_map_are_named(self):
        (found,) = self._found(*range(9))

        self.assertEqual(found.kind, findings.UNUSED_CLASSES)
        self.assertStartsWith(
            found.detail, "11 of 20 classes in none of 3 label maps: Pants, "
        )
        self.assertEmpty(self._found(*range(10)))
        self.assertEmpty(self._found(0, 1, count=2))


class StatisticsTest(absltest.TestCase):
    def test_shares_by_hand(self):
        on_parts = np.ones(16)
        on_parts[0] = 0
        gloves = np.eye(20, dtype=np.int64)[3] * 1200
        other = np.zeros(20, np.int64)
        other[[0, 3]] = 900, 300
        samples = [
            _examined(
                "a", size=(40, 30), on_parts=on_parts, class_pixels=gloves
            ),
            _examined("b", size=(80, 10), class_pixels=other),
            _examined("c", size=None, class_pixels=None, visibility=None),
        ]

        found = dataset_check.statistics(samples, LIP)

        self.assertEqual(found["num_samples"], 3)
        self.assertEqual(found["num_readable"], 2)
        self.assertEqual(
            found["sizes"]["height"], {"least": 40, "median": 60, "most": 80}
        )
        self.assertEqual(found["sizes"]["largest"], "a")
        glove = found["classes"]["Glove"]
        self.assertEqual(glove["pixel_share"], 0.625)
        self.assertEqual(glove["picture_share"], 1)
        self.assertEqual(found["classes"]["Background"]["pictures"], 1)
        ankle = found["joints"]["right_ankle"]
        self.assertEqual((ankle["visible"], ankle["absent"]), (2, 0))

    def test_empty_split_has_no_shares(self):
        found = dataset_check.statistics([], LIP)

        self.assertEqual(found["num_samples"], 0)
        self.assertIsNone(found["classes"]["Hat"]["pixel_share"])
        self.assertFalse(found["sides"]["can_be_known"])


if __name__ == "__main__":
    absltest.main()

"""Tests of nppnet_tf.video.following, on a drawn person who walks."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.metrics import consistency
from nppnet_tf.video import following
from nppnet_tf.video.following import Smoothing
from nppnet_tf.video.video_file import Frame
from tests.video import drawn_video

_COUNT = 60
_SIZE = (96, 72)
_NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


def _found(person):
    return person.scores > 0.5


def _follow(answers, smoothing):
    frames = [
        (Frame(number, number / drawn_video.RATE, _NO_IMAGE), answer)
        for number, answer in enumerate(answers)
    ]
    followed = list(following.follow(frames, smoothing, _found))
    assert [frame.number for frame, _ in followed] == list(range(len(frames)))
    return [answer for _, answer in followed]


class WalkTest(absltest.TestCase):
    """Answers are the truth with the errors that networks make."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.walk = drawn_video.walk(_COUNT, _SIZE)
        cls.truth = np.stack([drawn.keypoints_xy for drawn in cls.walk])
        cls.labels = np.stack([drawn.label_map for drawn in cls.walk])
        random = np.random.default_rng(1)
        noise = random.normal(0, 0.015 * _SIZE[0], cls.truth.shape)
        # Now and then a joint is somewhere else for a frame.
        leaps = random.uniform(size=cls.truth.shape[:2]) < 0.02
        noise[leaps] += random.normal(0, 0.2 * _SIZE[0], (leaps.sum(), 2))
        wrong = random.uniform(size=cls.labels.shape) < 0.1
        strange = random.integers(0, 20, cls.labels.shape, dtype=np.uint8)
        cls.answers = [
            PictureAnswer(
                np.where(wrong[number], strange[number], cls.labels[number]),
                (PersonAnswer(cls.truth[number] + noise[number], np.ones(16)),),
            )
            for number in range(_COUNT)
        ]

    def _errors(self, answers):
        places = np.stack([answer.people[0].keypoints_xy for answer in answers])
        return places - self.truth

    def test_truth_moves_evenly_and_lies_on_its_parts(self):
        steps = np.linalg.norm(np.diff(self.truth, axis=0), axis=-1)

        self.assertLess(steps.max(), 8)
        self.assertGreater(np.ptp(self.truth[:, 0, 0]), 10)
        agreement = consistency.consistency(
            self.labels,
            self.truth,
            visible=np.stack([each.visibility for each in self.walk]) == 2,
        )
        self.assertGreater(agreement["consistency"], 0.85)

    def test_jitter_falls_by_more_than_two_fifths_and_no_error_rises(self):
        followed = _follow(self.answers, Smoothing(joints=True))

        raw = self._errors(self.answers)
        smooth = self._errors([each.answer for each in followed])

        def jitter(errors):
            return np.linalg.norm(np.diff(errors, axis=0), axis=-1).mean()

        def error(errors):
            return np.linalg.norm(errors, axis=-1).mean(axis=0)

        self.assertLess(jitter(smooth), 0.6 * jitter(raw))
        # Of every joint, not of the mean alone.
        self.assertTrue((error(smooth) < error(raw)).all())
        self.assertEqual({tuple(each.numbers) for each in followed}, {(1,)})

    def test_vote_lowers_flicker_and_errors_of_labels(self):
        followed = _follow(self.answers, Smoothing(joints=False, vote=1))

        raw = np.stack([answer.label_map for answer in self.answers])
        voted = np.stack([each.answer.label_map for each in followed])

        def flicker(labels):
            still = self.labels[1:] == self.labels[:-1]
            return (labels[1:] != labels[:-1])[still].mean()

        self.assertLess(flicker(voted), 0.5 * flicker(raw))
        self.assertLess(
            (voted != self.labels).mean(), 0.6 * (raw != self.labels).mean()
        )

    def test_without_smoothing_answers_stay(self):
        followed = _follow(self.answers, Smoothing(joints=False))

        for each, answer in zip(followed, self.answers, strict=True):
            self.assertIs(each.answer, answer)


class SeveralPeopleTest(absltest.TestCase):
    def test_numbers_and_votes_follow_people_whose_order_changes(self):
        boxes = ((0.0, 0.0, 20.0, 40.0), (30.0, 0.0, 50.0, 40.0))
        labels = np.zeros((40, 50), np.uint8)
        labels[:, :20], labels[:, 30:] = 5, 9
        answers = []
        for number in range(5):
            order = (0, 1) if number != 2 else (1, 0)
            instances = np.zeros((40, 50), np.uint8)
            instances[:, :20] = order.index(0) + 1
            instances[:, 30:] = order.index(1) + 1
            label_map = labels.copy()
            if number == 3:
                label_map[:, 30:] = 13
            people = tuple(
                PersonAnswer(np.zeros((16, 2)), np.ones(16), boxes[index])
                for index in order
            )
            answers.append(PictureAnswer(label_map, people, instances))

        followed = _follow(answers, Smoothing(joints=True, vote=1))

        self.assertEqual(followed[2].numbers, [2, 1])
        for each, answer in zip(followed, answers, strict=True):
            np.testing.assert_array_equal(each.answer.label_map, labels)
            np.testing.assert_array_equal(
                each.answer.instance_map, answer.instance_map
            )


if __name__ == "__main__":
    absltest.main()

"""Tests of the Lovasz-Softmax loss against its definition, set by set."""

from tests import two_replicas  # isort: skip  (before any operation)

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.losses import lovasz


def _by_definition(label_map, logits):
    """The loss of one picture in float64, IoU of sets of wrong pixels.

    Args:
        label_map: [h, w].
        logits: [h, w, C].
    """
    counted = label_map != 255
    labels, logits = label_map[counted], logits[counted].astype(np.float64)
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(-1, keepdims=True)
    losses = []
    for number in np.unique(labels):
        truth = labels == number
        errors = np.abs(truth - probabilities[:, number])
        wrong, loss, total = np.zeros(len(labels), bool), 0.0, 0.0
        for pixel in np.argsort(-errors):
            wrong[pixel] = True
            now = 1 - np.sum(truth & ~wrong) / np.sum(truth | wrong)
            total += errors[pixel] * (now - loss)
            loss = now
        losses.append(total)
    return np.mean(losses)


class LovaszLossTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.label_map = random.integers(0, 4, [3, 9, 7])
        self.label_map[random.random([3, 9, 7]) < 0.2] = 255
        self.logits = random.normal(size=[3, 9, 7, 5]).astype(np.float32)

    def _expected(self, *numbers):
        return np.mean(
            [_by_definition(self.label_map[n], self.logits[n]) for n in numbers]
        )

    def test_equals_its_definition(self):
        found = lovasz.lovasz_loss(self.label_map, self.logits, np.ones(3))

        np.testing.assert_allclose(found, self._expected(0, 1, 2), rtol=1e-6)

    def test_pictures_without_label_map_do_not_count(self):
        found = lovasz.lovasz_loss(
            self.label_map, self.logits, np.array([1, 0, 1])
        )
        none = lovasz.lovasz_loss(self.label_map, self.logits, np.zeros(3))

        np.testing.assert_allclose(found, self._expected(0, 2), rtol=1e-6)
        self.assertEqual(none, 0)

    def test_certain_answers_give_one_minus_the_iou(self):
        answer = np.array([[0, 0, 1, 1, 1, 2]])
        label_map = np.array([[[0, 1, 1, 1, 255, 1]]])

        found = lovasz.lovasz_loss(
            label_map,
            60 * np.eye(3, dtype=np.float32)[answer][None],
            np.ones(1),
        )

        # Class 0: 1 of 2. Class 1: 2 of 4. Class 2 is not in the picture.
        np.testing.assert_allclose(found, 0.5, rtol=1e-6)

    def test_gradient_equals_finite_differences(self):
        logits = tf.constant(self.logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = lovasz.lovasz_loss(self.label_map, logits, np.ones(3))
        direction = np.random.default_rng(4).normal(size=logits.shape)

        # Small steps: where the order of errors changes there is no gradient.
        step = 1e-6
        moved = [
            np.mean(
                [
                    _by_definition(label_map, logits)
                    for label_map, logits in zip(
                        self.label_map,
                        self.logits + sign * step * direction,
                        strict=True,
                    )
                ]
            )
            for sign in (1, -1)
        ]

        found = np.sum(tape.gradient(loss, logits) * direction)
        np.testing.assert_allclose(
            found, (moved[0] - moved[1]) / (2 * step), rtol=1e-3
        )

    def test_labels_are_taken_where_logits_lie(self):
        label_map = np.zeros([1, 9, 7], np.int64)
        label_map[:, ::4, ::3] = self.label_map[:1, :3, :3]

        found = lovasz.lovasz_loss(
            label_map, self.logits[:1, :3, :3], np.ones(1)
        )

        np.testing.assert_allclose(
            found,
            _by_definition(self.label_map[0, :3, :3], self.logits[0, :3, :3]),
            rtol=1e-6,
        )

    def test_two_replicas_share_it_by_their_pictures(self):
        has_label_map = np.array([1, 0, 1, 1], np.float32)
        order = [0, 1, 2, 0]
        whole = lovasz.lovasz_loss(
            self.label_map[order], self.logits[order], has_label_map
        )
        arrays = (self.label_map[order], self.logits[order], has_label_map)
        strategy = two_replicas.strategy()

        @tf.function
        def shares():
            return strategy.run(
                lovasz.lovasz_loss, two_replicas.split(strategy, arrays)
            )

        found = strategy.experimental_local_results(shares())
        np.testing.assert_allclose(sum(found), whole, rtol=1e-6)


if __name__ == "__main__":
    absltest.main()

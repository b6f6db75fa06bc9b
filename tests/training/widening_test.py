"""Tests of searches that start from narrower ones."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.layers.cell import Cell
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import checkpoints
from nppnet_tf.training import widening
from tests.training import tiny_network


def cell(proportion):
    made = Cell(16, space=SearchSpace(channel_proportion=proportion))
    made.build([(None, 8, 8, 16)] * 2)
    return {weight.path: weight for weight in made.weights}


class RepeatedTest(absltest.TestCase):
    def test_channels_are_repeated_within_their_edge(self):
        # One channel, two edges; twice as many channels.
        kernel = np.float32([[[[3.0, 5.0]]]])

        found = widening.repeated(kernel, (1, 1, 2, 4))

        np.testing.assert_array_equal(found[0, 0], [[3, 3, 5, 5], [3, 3, 5, 5]])

    def test_every_weight_of_a_searched_cell_can_be_widened(self):
        narrow, wide = cell(4), cell(2)
        changed = 0
        for (_, before), (path, after) in zip(
            narrow.items(), wide.items(), strict=True
        ):
            found = widening.repeated(before.numpy(), tuple(after.shape))

            self.assertIsNotNone(found, path)
            changed += before.shape != after.shape
        self.assertGreater(changed, len(primitives.PAPER))

    def test_what_does_not_come_out_is_none(self):
        self.assertIsNone(widening.repeated(np.zeros([2, 4]), (2, 6)))
        self.assertIsNone(widening.repeated(np.zeros([4]), (2,)))
        self.assertIsNone(widening.repeated(np.zeros([4]), (4, 1)))


class StartFromTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "checkpoints" / "last.npz"
        self.path.parent.mkdir()
        self.lines = []

    def _start(self, **settings):
        model = tiny_network.search_model(**settings)
        widening.start_from(model, self.folder, self.lines.append)
        return model

    def test_state_is_taken_and_optimizers_are_new(self):
        before = tiny_network.search_model()
        before.begin_epoch(0)
        for batch in tiny_network.search_dataset(1):
            before.train_step(batch)
        checkpoints.save(self.path, before, checkpoints.Progress(epoch=1))

        model = self._start()

        expected = checkpoints.arrays_of(before)
        for name, values in checkpoints.arrays_of(model).items():
            if name.startswith(("network/", "loss/")):
                np.testing.assert_array_equal(values, expected[name], name)
        self.assertEqual(int(model.weight_optimizer.iterations), 0)
        self.assertIn("0 of them wider", self.lines[0])

    def test_another_search_is_refused(self):
        checkpoints.save(
            self.path, tiny_network.search_model(), checkpoints.Progress()
        )

        with self.assertRaisesRegex(UserError, "another relaxation.*softmax"):
            self._start(relaxation="gumbel")


if __name__ == "__main__":
    absltest.main()

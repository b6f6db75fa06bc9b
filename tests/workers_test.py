"""Tests of nppnet_tf.workers."""

import os
import signal

from absl.testing import absltest

from nppnet_tf import workers
from nppnet_tf.data.damage import BadRecordError


def _square(number, advance):
    advance(number)
    if number == 13:
        raise BadRecordError("id_13", "is unlucky", "a file")
    if number == 666:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2, os.getpid()


class EachTest(absltest.TestCase):
    def test_one_worker_is_this_process(self):
        steps = []

        results = list(workers.each(_square, [3, 1, 2], 1, steps.append))

        own = os.getpid()
        self.assertEqual(results, [(9, own), (1, own), (4, own)])
        self.assertEqual(steps, [3, 1, 2])

    def test_several_processes_give_the_results_in_order(self):
        steps = []

        results = list(workers.each(_square, [3, 1, 2], 2, steps.append))

        self.assertEqual([square for square, _ in results], [9, 1, 4])
        self.assertNotIn(os.getpid(), [process for _, process in results])
        self.assertEqual(sum(steps), 6)

    def test_error_of_a_worker_is_raised_here(self):
        with self.assertRaisesRegex(
            BadRecordError, "record id_13: is unlucky; where: a file"
        ) as raised:
            list(workers.each(_square, [1, 13, 2], 2, _forget))
        self.assertEqual(raised.exception.record_id, "id_13")

    def test_worker_that_was_killed_is_told(self):
        with self.assertRaisesRegex(
            workers.WorkerDiedError, "killed.*`num_workers`=2; expected: fewer"
        ):
            list(workers.each(_square, [1, 666, 2], 2, _forget))


def _forget(count):
    """Takes the steps and forgets them."""


class PortionsTest(absltest.TestCase):
    def test_portions_are_everything_in_order(self):
        items = list(range(200))

        portions = workers.portions(items)

        self.assertEqual(sum(portions, []), items)
        self.assertGreater(len(portions), 2)


if __name__ == "__main__":
    absltest.main()

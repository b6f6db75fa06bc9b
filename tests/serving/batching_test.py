"""Tests of serving.batching."""

import asyncio
import threading

import numpy as np
from absl.testing import absltest
from tensorflow.core.protobuf import meta_graph_pb2

from nppnet_tf.serving import failures
from nppnet_tf.serving.batching import Batcher
from nppnet_tf.serving.batching import BatchSettings
from nppnet_tf.serving.failures import RequestError


class _Model:
    """Doubles numbers; refuses negative ones, and waits where it is told."""

    def __init__(self, *sizes):
        self.sizes = []
        self.go = threading.Event()
        self.go.set()
        self.go_large = self.go
        self._definition = meta_graph_pb2.SignatureDef()
        shape = self._definition.inputs["x"].tensor_shape
        for size in sizes or (-1,):
            shape.dim.add().size = size

    def signature_def(self, name):
        del name
        return self._definition

    def run(self, signature, inputs):
        del signature
        self.go.wait(10)
        if inputs["x"].nbytes > 8 << 20:
            self.go_large.wait(10)
        self.sizes.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise failures.invalid("negative")
        return {"y": 2 * inputs["x"]}


def _settings(**fields):
    values = {
        "max_batch_size": 4,
        "batch_timeout_micros": 20_000,
        "num_batch_threads": 1,
    }
    return BatchSettings(**{**values, **fields})


def _numbers(*numbers):
    return {"x": np.array(numbers)}


def _run(work, **fields):
    """Runs `work(batcher)` on a loop of its own."""

    async def main():
        batcher = Batcher(_settings(**fields))
        batcher.start()
        try:
            return await work(batcher)
        finally:
            await batcher.close()

    return asyncio.run(main())


class BatcherTest(absltest.TestCase):
    def _answers(self, model, requests, **fields):
        async def work(batcher):
            return await asyncio.gather(
                *(
                    batcher.run(model, "s", _numbers(*request))
                    for request in requests
                ),
                return_exceptions=True,
            )

        answers = _run(work, **fields)
        return [
            str(answer)
            if isinstance(answer, Exception)
            else answer["y"].tolist()
            for answer in answers
        ]

    def test_requests_share_a_run_and_each_gets_its_own(self):
        model = _Model()
        answers = self._answers(model, [(1,), (2, 3), (4,)])

        self.assertEqual(answers, [[2], [4, 6], [8]])
        self.assertEqual(model.sizes, [4])

    def test_no_batch_is_larger_than_allowed(self):
        model = _Model()
        answers = self._answers(model, [(n,) for n in range(7)])

        self.assertEqual(answers, [[2 * n] for n in range(7)])
        self.assertLessEqual(max(model.sizes), 4)

    def test_a_large_request_runs_alone(self):
        model = _Model()
        answers = self._answers(model, [range(9), (1,)])

        self.assertEqual(answers, [[2 * n for n in range(9)], [2]])
        self.assertEqual(model.sizes, [9, 1])

    def test_requests_go_past_large_ones(self):
        model = _Model(-1, -1)
        model.go_large = threading.Event()
        large = np.zeros((1, (8 << 17) + 1))
        order = []

        async def ask(batcher, array):
            await batcher.run(model, "s", {"x": array})
            order.append(array.size)
            # Two of the large ones and one worker for the others.
            if order == [1, 1, 1]:
                model.go_large.set()

        async def work(batcher):
            arrays = [large, large, *np.ones((3, 1, 1))]
            await asyncio.gather(*(ask(batcher, each) for each in arrays))

        _run(work, num_batch_threads=2)

        self.assertEqual(order, [1, 1, 1, large.size, large.size])

    def test_batches_are_filled_up_to_allowed_sizes(self):
        model = _Model()
        answers = self._answers(
            model, [(1,), (2,), (3,)], allowed_batch_sizes=(2, 4)
        )

        self.assertEqual(answers, [[2], [4], [6]])
        self.assertEqual(model.sizes, [4])

    def test_a_bad_request_costs_itself_alone(self):
        model = _Model()
        answers = self._answers(model, [(1,), (-1,), (3,)])

        self.assertEqual(answers, [[2], "negative", [6]])

    def test_requests_of_open_shapes_are_not_joined(self):
        model = _Model(-1, -1)
        answers = self._answers(model, [((1,),), ((2,),)])

        self.assertEqual(answers, [[[2]], [[4]]])
        self.assertEqual(model.sizes, [1, 1])

    def test_a_full_queue_says_when_to_come_again(self):
        model = _Model()
        model.go.clear()

        async def work(batcher):
            tasks = []
            for _ in range(3):
                job = batcher.run(model, "s", _numbers(1, 2))
                tasks.append(asyncio.create_task(job))
                await asyncio.sleep(0.05)
            with self.assertRaises(RequestError) as refused:
                await batcher.run(model, "s", _numbers(3))
            model.go.set()
            await asyncio.gather(*tasks)
            return refused.exception

        error = _run(work, max_batch_size=2, max_enqueued_batches=2)

        self.assertEqual(error.code, failures.RESOURCE_EXHAUSTED)
        self.assertGreaterEqual(error.retry_after, 1)
        self.assertEqual(error.http_status, 429)

    def test_a_client_that_has_gone_is_not_worked_for(self):
        model = _Model()
        model.go.clear()

        async def work(batcher):
            first = asyncio.create_task(batcher.run(model, "s", _numbers(1)))
            await asyncio.sleep(0.1)
            gone = asyncio.create_task(batcher.run(model, "s", _numbers(2, 3)))
            await asyncio.sleep(0.1)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            self.assertEqual(batcher.waiting, 0)
            model.go.set()
            await first

        _run(work)

        self.assertEqual(model.sizes, [1])


if __name__ == "__main__":
    absltest.main()

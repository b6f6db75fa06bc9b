"""Tests of serving.spare_memory."""

import asyncio
import pathlib
import re

from absl.testing import absltest

from nppnet_tf.serving import spare_memory

_BLOCK = 64 << 10
_BLOCKS = 3000


def _memory():
    text = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) << 10


class SpareMemoryTest(absltest.TestCase):
    def test_what_is_free_below_what_is_used_is_given_back(self):
        blocks = [b"x" * _BLOCK for _ in range(_BLOCKS)]
        # The last one holds up what lies below it.
        del blocks[:-1]
        before = _memory()

        self.assertTrue(spare_memory.give_back())

        self.assertLess(_memory(), before - _BLOCKS * _BLOCK // 2)
        self.assertLen(blocks, 1)

    def test_it_is_given_back_after_work_alone(self):
        calls = []

        async def work():
            spare = spare_memory.SpareMemory(0, lambda: calls.append(1))
            watching = asyncio.create_task(spare.watch())
            await asyncio.sleep(0.02)
            self.assertEmpty(calls)
            spare.note()
            while not calls:
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)
            watching.cancel()

        asyncio.run(work())

        self.assertEqual(calls, [1])


if __name__ == "__main__":
    absltest.main()

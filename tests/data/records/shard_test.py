"""Tests of nppnet_tf.data.records.shard: made once, whatever happens."""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.records import shard
from tests.data import sample_records

_COUNT = 5


@dataclasses.dataclass
class _Sample:
    """A sample whose input can change, and which counts its loads."""

    record: Record
    content: str = "as it was"
    num_loads: int = 0

    @property
    def record_id(self):
        return self.record.record_id

    def load(self):
        self.num_loads += 1
        return self.record

    def digest(self):
        return f"{self.record_id} {self.content}"


def _samples():
    return [_Sample(record) for record in sample_records.make_records(_COUNT)]


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextlib.contextmanager
def _killed_at(event):
    """Kills this process when it does the event-th thing that counts."""
    count = itertools.count(1)

    def counted(function):
        def call(*arguments, **options):
            if next(count) == event:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    places = (
        (os, "replace"),
        (os, "unlink"),
        (pathlib.Path, "write_text"),
        (pathlib.Path, "mkdir"),
        (_Sample, "load"),
        (_Sample, "digest"),
    )
    with contextlib.ExitStack() as stack:
        for owner, name in places:
            replaced = counted(getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, replaced))
        yield


class _ShardTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.base / "records"

    def write(self, samples, folder=None, num_shards=2):
        return record_writer.write_records(
            samples, folder or self.folder, LIP, num_shards
        )

    def killed_write(self, event):
        """Writes in a process that is killed; tells whether it was."""
        process = os.fork()
        if not process:
            with _killed_at(event):
                self.write(_samples())
            os._exit(0)
        _, status = os.waitpid(process, 0)
        return os.WIFSIGNALED(status)


class KilledTest(_ShardTestCase):
    def test_killed_anywhere_and_called_again_it_is_the_same(self):
        whole = self.base / "whole"
        self.write(_samples(), whole)
        for event in itertools.count(1):
            if not self.killed_write(event):
                break
            if not self.folder.exists():
                self.write(_samples())
            self.assertEqual(_content(self.folder), _content(whole), event)
            for path in self.base.iterdir():
                if path != whole:
                    shutil.rmtree(path)
        # Two calls for every sample, and some for every file.
        self.assertGreater(event, 2 * _COUNT + 8)

    def test_killed_again_and_again_it_is_the_same(self):
        whole = self.base / "whole"
        self.write(_samples(), whole)

        for event in (7, 3, 12, 9, 15):
            self.assertTrue(self.killed_write(event))
        self.write(_samples())

        self.assertEqual(_content(self.folder), _content(whole))
        self.assertCountEqual(self.base.iterdir(), [whole, self.folder])


class FoundAgainTest(_ShardTestCase):
    """The first shard holds three samples, the second two."""

    def setUp(self):
        super().setUp()
        with mock.patch.object(
            record_writer, "_finish", side_effect=SystemExit
        ):
            with self.assertRaises(SystemExit):
                self.write(_samples())

    def loads(self, samples, **options):
        self.write(samples, **options)
        return [sample.num_loads for sample in samples]

    def test_finished_shards_are_not_made_again(self):
        self.assertEqual(self.loads(_samples()), [0, 0, 0, 0, 0])

    def test_shard_of_other_inputs_is_made_again(self):
        samples = _samples()
        samples[4].content = "changed"

        self.assertEqual(self.loads(samples), [0, 0, 0, 1, 1])

    def test_shard_that_lost_a_byte_is_made_again(self):
        (path,) = self.base.glob("*/content/records-00000-of-00002.tfrecord")
        path.write_bytes(path.read_bytes()[:-1])

        self.assertEqual(self.loads(_samples()), [1, 1, 1, 0, 0])

    def test_shard_whose_record_was_changed_is_made_again(self):
        (path,) = (
            found
            for found in self.base.rglob("*.json")
            if '"records-00000' in found.read_text()
        )
        document = json.loads(path.read_text())
        document["made"]["digests"] = 5
        path.write_text(json.dumps(document))

        self.assertEqual(self.loads(_samples()), [1, 1, 1, 0, 0])

    def test_shard_of_another_version_is_made_again(self):
        with mock.patch.object(shard.nppnet_tf, "__version__", "0"):
            self.assertEqual(self.loads(_samples()), [1, 1, 1, 1, 1])

    def test_other_number_of_shards_leaves_nothing_of_this(self):
        self.assertEqual(self.loads(_samples(), num_shards=1), [1] * 5)
        self.assertLen(list(self.folder.glob("*.tfrecord")), 1)
        self.assertEqual(list(self.base.iterdir()), [self.folder])


class DigestsTest(absltest.TestCase):
    def test_digests_are_those_of_the_samples_in_order(self):
        steps = []

        digests = shard.digests(_samples(), steps.append)

        self.assertEqual(digests[1], "id_001 as it was")
        self.assertEqual((len(digests), sum(steps)), (_COUNT, _COUNT))


if __name__ == "__main__":
    absltest.main()

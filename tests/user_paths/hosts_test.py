"""Several machines, which are processes here, compute what one does.

A stand-in takes the network's place: what is looked at lies around it.
"""

import json
import pathlib
import socket
import time

import numpy as np
from absl.testing import absltest

from tests.user_paths import user_path

# Tools one after the other, with a network that is traced in a second.
_PROGRAM = """
import importlib, json, sys
from tests.user_paths import tiny_tools
with tiny_tools.tiny_networks():
    for tool, *words in json.loads(sys.argv[1]):
        sys.argv = [tool, *words]
        importlib.import_module(f"tools.{tool}").main()
"""
_COMMON = (
    "--image_size=64",
    "--batch_size=4",
    "--epochs=1",
    "--picture_every=0",
    "--report_every=0",
    "--checkpoint_every=1",
    "--input_workers=0",
)
_SEARCH = (
    "search",
    *_COMMON,
    "--stage=interaction_fusion",
    "--genotype=baseline",
    "--interaction=omit",
    "--warmup_epochs=0",
)
# A kill within one of many steps.
_TRAIN = ("train", *_COMMON, "--genotype=baseline", "--epochs=6")


def _start(*commands, **variables):
    words = json.dumps([list(map(str, command)) for command in commands])
    return user_path.start_python(["-c", _PROGRAM, words], **variables)


def _clusters():
    """TF_CONFIG of two workers of this machine."""
    servers = [socket.create_server(("", 0)) for _ in range(2)]
    workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in servers]
    for server in servers:
        server.close()
    return [
        json.dumps(
            {
                "cluster": {"worker": workers},
                "task": {"type": "worker", "index": index},
            }
        )
        for index in range(2)
    ]


def _arrays(workdir):
    path = workdir / "checkpoints" / "last.npz"
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name != "metadata"}


def _records(workdir):
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    clocks = {"seconds": None, "input_wait": None}
    return [{**json.loads(line), **clocks} for line in lines]


class HostsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.drawn = user_path.drawn()

    def _commands(self, place, *flags):
        """Both stages in a folder; validation of training, too."""
        records = f"--records={self.drawn.train}"
        return (
            (*_SEARCH, records, f"--workdir={place}/search", *flags),
            (
                *(*_TRAIN, records, f"--workdir={place}/train", *flags),
                f"--validation_records={self.drawn.validation}",
            ),
        )

    def _start_workers(self, *flags_of_second):
        """Starts the same command twice; the second is not the chief."""
        processes = []
        for index, cluster in enumerate(_clusters()):
            processes.append(
                _start(
                    *self._commands(
                        self.folder / str(index),
                        "--strategy=multi_worker",
                        *(flags_of_second if index else ()),
                    ),
                    TF_CONFIG=cluster,
                )
            )
            self.addCleanup(user_path.end, processes[-1])
        return processes

    def _wait_for(self, path, process):
        while not path.exists():
            self.assertIsNone(process.poll(), f"ended without {path}")
            time.sleep(0.02)

    def test_killed_workers_end_as_one_machine_that_was_not(self):
        whole = _start(
            *self._commands(
                self.folder / "whole", "--strategy=mirrored", "--num_replicas=2"
            )
        )
        self.assertEqual(user_path.finish(whole).exit_code, 0)

        chief, second = self._start_workers()
        self._wait_for(self.folder / "0/train/checkpoints/last.npz", chief)
        second.kill()
        user_path.finish(second)
        ended = user_path.finish(chief)
        self.assertEqual(ended.exit_code, 2, ended.stderr)
        self.assertRegex(
            ended.stderr,
            r"^nppnet-train: another worker has ended; where: worker 1 .*\n$",
        )
        results = [user_path.finish(each) for each in self._start_workers()]

        for result in results:
            self.assertEqual((result.exit_code, result.stderr), (0, ""))
            self.assertRegex(result.stdout, "resuming after|nothing is left")
        # The chief alone writes.
        self.assertFalse((self.folder / "1").exists())
        for stage in ("search", "train"):
            found, expected = (
                self.folder / place / stage for place in ("0", "whole")
            )
            self.assertEqual(_records(found), _records(expected))
            arrays = _arrays(found)
            for name, value in _arrays(expected).items():
                np.testing.assert_array_equal(arrays[name], value, name)

    def test_workers_of_different_flags_are_refused(self):
        results = [
            user_path.finish(each)
            for each in self._start_workers("--learning_rate=0.5")
        ]

        for result in results:
            self.assertEqual(result.exit_code, 2, result.stderr)
            self.assertRegex(
                result.stderr,
                r"^nppnet-search: workers were asked for different runs; "
                r"where: --learning_rate, worker 1 .* found: 0.5\n$",
            )
        self.assertEmpty(list(self.folder.iterdir()))


if __name__ == "__main__":
    absltest.main()

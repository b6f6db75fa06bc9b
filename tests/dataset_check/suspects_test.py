"""Tests of nppnet_tf.dataset_check.suspects."""

import dataclasses
import os
import pathlib
import threading

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import Record
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check import suspects
from nppnet_tf.dataset_check.findings import Finding
from nppnet_tf.pictures import picture_files


@dataclasses.dataclass(frozen=True)
class _Sample:
    """A sample of no file."""

    record_id: str
    encoded: bytes
    paths: tuple[pathlib.Path, ...] = (pathlib.Path("absent.png"),)

    def load(self):
        picture_files.decode(self.encoded)
        return Record(self.record_id, self.encoded)


class TilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        picture = picture_files.encode_png(np.zeros([8, 6, 3], np.uint8))
        self.source = Source(
            LIP, samples=[_Sample(n, picture) for n in "abcdefghij"]
        )

    def titles(self, found, num_suspects=100, num_drawn=0):
        tiles = suspects.tiles(
            {"train": self.source}, {"train": found}, num_suspects, num_drawn, 0
        )
        return "".join(tile.title.removeprefix("train/") for tile in tiles)

    def test_the_worst_come_first(self):
        found = [
            Finding("a", findings.EMPTY_POSE, ""),
            Finding("b", findings.UNKNOWN_LABEL, ""),
        ]

        self.assertEqual(self.titles(found), "ba")

    def test_no_kind_fills_the_sheet(self):
        found = [Finding(n, findings.UNKNOWN_LABEL, "") for n in "abcdefgh"]
        found.append(Finding("i", findings.EMPTY_POSE, ""))

        # Six of the first kind, then the one of the second.
        self.assertEqual(self.titles(found, 7), "abcdefi")

    def test_others_are_drawn_by_the_seed(self):
        found = [Finding("a", findings.EMPTY_POSE, "")]

        titles = self.titles(found, 0, 4)

        self.assertLen(set(titles) - {"a"}, 4)
        self.assertEqual(self.titles(found, 0, 4), titles)

    def test_what_cannot_be_read_has_no_tile(self):
        self.source = Source(LIP, samples=[_Sample("a", b"no picture")])

        self.assertEqual(self.titles([], 1, 1), "")

    def test_a_pipe_is_not_waited_for(self):
        pipe = pathlib.Path(self.create_tempdir().full_path, "pipe.png")
        os.mkfifo(pipe)
        picture = picture_files.encode_png(np.zeros([8, 6, 3], np.uint8))
        writer = threading.Thread(
            target=pipe.write_bytes, args=(picture,), daemon=True
        )
        writer.start()
        self.source = Source(LIP, samples=[_Sample("a", b"", (pipe,))])

        self.assertEqual(self.titles([], 1, 1), "")
        # Nobody has come to take it.
        self.assertTrue(writer.is_alive())
        self.assertEqual(pipe.read_bytes(), picture)
        writer.join()

    def test_no_tiles_make_no_picture(self):
        path = pathlib.Path(self.create_tempdir().full_path, "sheet.png")

        suspects.write_sheet(path, [], LIP)

        self.assertFalse(path.exists())


if __name__ == "__main__":
    absltest.main()

"""Tests of nppnet_tf.reports.demo_report."""

import io
import json
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from nppnet_tf.reports import demo_report
from tests import wrong_kinds


class _Sample:
    """A record that is already there."""

    def __init__(self, record: Record) -> None:
        self.record_id = record.record_id
        self._record = record

    def load(self) -> Record:
        return self._record


def _record(name: str, kind: str, has_labels: bool) -> Record:
    stream = io.BytesIO()
    Image.new("RGB", (20, 30), "#808080").save(stream, format=kind)
    return Record(
        record_id=name,
        image_bytes=stream.getvalue(),
        label_map=np.full((30, 20), 5, np.uint8) if has_labels else None,
        keypoints_xy=np.full((16, 2), 9.0, np.float32),
        visibility=np.full(16, VISIBLE, np.int32),
    )


class LayOutPicturesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.records = [
            _record("a", "JPEG", True),
            _record("b", "PNG", False),
            _record("c", "JPEG", True),
        ]
        record_writer.write_records(
            [_Sample(r) for r in self.records], self.folder / "records", LIP
        )

    def _lay_out(self, count: int) -> None:
        demo_report.lay_out_pictures(
            self.folder / "records",
            count,
            self.folder / "pictures",
            self.folder / "truth",
        )

    def test_first_pictures_arrive_as_they_are(self):
        self._lay_out(2)

        found = sorted((self.folder / "pictures").iterdir())
        self.assertEqual([path.name for path in found], ["a.jpg", "b.png"])
        for path, record in zip(found, self.records, strict=False):
            self.assertEqual(path.read_bytes(), record.image_bytes)

    def test_truth_has_the_size_of_the_picture_and_is_drawn(self):
        self._lay_out(3)

        found = sorted((self.folder / "truth").iterdir())
        self.assertLen(found, 3)
        with Image.open(found[0]) as image:
            self.assertEqual(image.size, (20, 30))
            self.assertGreater(np.asarray(image).std(), 5)

    def test_fewer_records_than_asked_for_are_all_taken(self):
        self._lay_out(99)

        self.assertLen(list((self.folder / "pictures").iterdir()), 3)


_SYSTEM = {
    "miou": 0.41,
    "pckh": None,
    "title": "searched",
    "parameters": 1_200_000,
    "gmac": 0.5,
    "epochs": 3,
    "train_minutes": 2.0,
}
_SUMMARY = {
    "searched": _SYSTEM,
    "baseline": {**_SYSTEM, "title": "ResNet-50 + FPN", "pckh": 0.5},
    "minutes": 12.0,
    "protocol": {"pictures": "64"},
}


class ReadSummaryTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path, "s.json")

    def test_each_system_is_a_row(self):
        self.path.write_text(json.dumps(_SUMMARY))

        table, minutes = demo_report.read_summary(self.path)

        self.assertEqual(minutes, 12)
        lines = table.splitlines()

        self.assertLen(lines, 3)
        self.assertEqual(
            lines[1].split(),
            ["searched", "0.410", "-", "1.20", "M", "0.500", "2.0"],
        )
        self.assertRegex(lines[2], r"^ResNet-50 \+ FPN +0.410 +0.500 ")

    def test_other_documents_are_one_line(self):
        for _, document in wrong_kinds.documents(_SUMMARY):
            self.path.write_text(json.dumps(document))
            try:
                demo_report.read_summary(self.path)
            except UserError as error:
                self.assertIn("s.json", str(error))
        for text in ("", "[]", "{}", '{"minutes": NaN}', "[" * 100_000):
            self.path.write_text(text)
            with self.subTest(text[:9]), self.assertRaises(UserError):
                demo_report.read_summary(self.path)


if __name__ == "__main__":
    absltest.main()

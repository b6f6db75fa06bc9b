"""Tests of bulk.reading: what a job wrote is read again."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.bulk import reading
from nppnet_tf.bulk import results
from nppnet_tf.bulk.answers import Answer
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.drawn_people import person
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files

_SHARD = "00000-of-00001"
_FILES = {
    "tfrecord": f"predictions-{_SHARD}.tfrecord",
    "json": f"predictions-{_SHARD}.jsonl",
    "png": f"predictions-{_SHARD}",
}


class ReadingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.output = pathlib.Path(self.create_tempdir().full_path)
        self.people = [
            person.draw_person(5, index, height_width=(48, 36))
            for index in range(3)
        ]

    def _document(self, number):
        drawn = self.people[number]
        scores = np.linspace(0, 1, 16)
        return prediction_files.prediction_document(
            drawn.label_map, drawn.keypoints_xy, scores, f"{number}.jpg", LIP
        )

    def _write(self, form):
        answers = [
            Answer(
                number,
                f"/archive/{number}.jpg",
                json.dumps(self._document(number)),
                prediction_files.label_map_png(drawn.label_map, LIP),
            )
            for number, drawn in enumerate(self.people)
        ]
        bad = Answer(3, "/archive/3.jpg", error="torn")
        counts = results.write_shard(
            str(self.output), _SHARD, form, [*answers[::-1], bad]
        )
        self.assertEqual(counts, {"pictures": 3, "dead_letters": 1})
        return self.output / _FILES[form]

    @parameterized.parameters(*_FILES)
    def test_predictions_come_back(self, form):
        path = self._write(form)

        found = list(reading.read(path))

        self.assertLen(found, 3)
        for number, (source, document, label_map) in enumerate(found):
            self.assertEqual(pathlib.Path(source).name, f"{number}.jpg")
            self.assertEqual(pathlib.Path(source).is_absolute(), form != "png")
            self.assertEqual(
                document, json.loads(json.dumps(self._document(number)))
            )
            np.testing.assert_array_equal(
                label_map, self.people[number].label_map
            )

    @parameterized.parameters("tfrecord", "json")
    def test_shards_cut_short_are_told(self, form):
        path = self._write(form)
        path.write_bytes(path.read_bytes()[:-100])

        found = reading.read(path)

        next(found)
        with self.assertRaisesRegex(UserError, path.name):
            list(found)

    def test_other_files_are_told(self):
        for name, text in (
            ("a.jsonl", "[]\n"),
            ("b.tfrecord", "no records at all"),
            ("c.txt", ""),
        ):
            path = self.output / name
            path.write_text(text)
            with self.assertRaisesRegex(UserError, name):
                list(reading.read(path))
        for name in ("d.jsonl", "d.tfrecord"):
            with self.assertRaisesRegex(UserError, name):
                list(reading.read(self.output / name))


if __name__ == "__main__":
    absltest.main()

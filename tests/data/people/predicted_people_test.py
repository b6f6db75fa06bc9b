"""Tests of data.people.predicted_people: what predict writes is read again."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.people import predicted_people
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs.writer import Names
from nppnet_tf.video import following
from nppnet_tf.video import video_run
from nppnet_tf.video.video_file import Frame

_BOXES = [(1.25, 2, 9, 15), (-3, 0, 20, 18.5)]
_SCORES = [0.5, 0.75]


def _answer():
    pose = (np.full((16, 2), 5.0), np.full(16, 0.9))
    people = [
        PersonAnswer(*pose, box, score)
        for box, score in zip(_BOXES, _SCORES, strict=True)
    ]
    instances = np.zeros((20, 30), np.uint8)
    return PictureAnswer(instances, tuple(people), instances)


class PredictedPeopleTest(absltest.TestCase):
    def _assert_found(self, predicted, name):
        self.assertEqual((predicted.name, predicted.size), (name, (20, 30)))
        np.testing.assert_array_equal(predicted.people.boxes, _BOXES)
        np.testing.assert_array_equal(predicted.people.scores, _SCORES)

    def test_people_of_a_picture_come_back(self):
        document = prediction_files.people_document(_answer(), "a.b.png", LIP)
        document = json.loads(json.dumps(document))

        self._assert_found(
            predicted_people.of_document(document, "here"), "a.b"
        )
        for people in (None, [{}], [{"box": [1, 2], "score": 1}]):
            with self.assertRaisesRegex(UserError, "where: here"):
                predicted_people.of_document(
                    {**document, "people": people}, "here"
                )

    def test_people_of_frames_come_back(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "walk.jsonl"
        lines = []
        for number in (0, 1):
            frame = Frame(number, 0.5, np.zeros((20, 30, 3), np.uint8))
            followed = following.Followed(_answer(), [7, 8])
            lines.append(
                video_run.frame_document(
                    "walk.mp4", frame, followed, Names(LIP)
                )
            )
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

        found = list(predicted_people.read_lines(path))

        for number, predicted in enumerate(found):
            self._assert_found(predicted, f"walk_{number}")
        self.assertLen(found, 2)
        path.write_text(f"{json.dumps(lines[0])}\n" + '{"format": "other"}\n')
        with self.assertRaisesRegex(UserError, "walk.jsonl, line 2"):
            list(predicted_people.read_lines(path))


if __name__ == "__main__":
    absltest.main()

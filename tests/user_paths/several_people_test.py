"""Pictures of several people become records, by commands alone."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.drawn_people import person
from tests.inference import stand_in_models
from tests.user_paths import user_path


class SeveralPeopleTest(absltest.TestCase):
    def test_what_is_predicted_as_coco_is_read_as_records(self):
        base = pathlib.Path(self.create_tempdir().full_path)
        (base / "street").mkdir()
        drawn = [
            person.draw_person(5, index, height_width=(96, 72))
            for index in (0, 1)
        ]
        image = np.concatenate([each.image for each in drawn], axis=1)
        Image.fromarray(image).save(base / "street" / "000007.png")
        (base / "street" / "broken.jpg").write_bytes(b"no picture")
        boxes = base / "boxes.json"
        boxes.write_text(
            json.dumps(
                [
                    {"image_id": 7, "bbox": [left, 0, 72, 96], "score": 0.9}
                    for left in (0, 72)
                ]
            )
        )

        result = user_path.run_well(
            "predict",
            base / "street",
            f"--model={stand_in_models.exported_model()}",
            f"--output={base / 'mine'}",
            f"--boxes={boxes}",
            "--format=coco",
            "--padding=0",
        )

        self.assertIn("1 of 2 pictures predicted, 2 people", result.stdout)
        self.assertIn("not read: broken.jpg", result.stdout)
        user_path.run_well(
            "build_records",
            "--dataset=folder",
            f"--root={base / 'mine'}",
            f"--descriptor={base / 'mine' / 'descriptor.json'}",
            "--people=boxes",
            f"--output={base / 'records'}",
        )
        records = RecordSet.open(base / "records")
        with Image.open(base / "mine/labels/000007.png") as labels:
            label_map = np.asarray(labels)
        document = json.loads((base / "mine/keypoints.json").read_text())
        self.assertEqual(records.count, 2)
        for number, annotation in enumerate(document["annotations"]):
            record = records.read(number)
            left = 72 * number
            np.testing.assert_array_equal(
                record.label_map, label_map[:, left : left + 72]
            )
            expected = np.reshape(annotation["keypoints"], (16, 3))
            is_found = expected[:, 2] > 0
            np.testing.assert_array_equal(record.visibility != ABSENT, is_found)
            np.testing.assert_allclose(
                record.keypoints_xy[is_found],
                expected[is_found, :2] - (left, 0),
                atol=1e-3,
            )


if __name__ == "__main__":
    absltest.main()

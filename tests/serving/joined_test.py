"""Tests of serving.joined."""

import io

import numpy as np
from absl.testing import absltest
from PIL import Image
from tensorflow.core.protobuf import meta_graph_pb2

from nppnet_tf.pictures import picture_files
from nppnet_tf.serving import joined


def _signature(*sizes):
    signature = meta_graph_pb2.SignatureDef()
    for size in sizes:
        signature.inputs["x"].tensor_shape.dim.add().size = size
    return signature


def _jpeg(progressive):
    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, "JPEG", progressive=progressive)
    return stream.getvalue()


class JoinedTest(absltest.TestCase):
    def test_what_would_keep_others_waiting_is_large(self):
        picture = picture_files.encode_png(np.zeros((2, 3, 3), np.uint8))
        bomb = picture[:16] + (8192).to_bytes(4) * 2 + picture[24:]
        jpeg = _jpeg(progressive=False)
        # Behind marker, length and depth.
        place = jpeg.index(b"\xff\xc0") + 5
        large = jpeg[:place] + (8000).to_bytes(2) * 2 + jpeg[place + 4 :]
        progressive = _jpeg(progressive=True)
        place = progressive.index(b"\xff\xc2") + 5
        scans = progressive[:place] + b"\x08\0" * 2 + progressive[place + 4 :]
        for data, expected in (
            (picture, False),
            (b"no picture", False),
            (b"\xff\xd8\xff", False),
            (b"\xff\xd8\xff\xc0", False),
            (bomb, True),
            (bytes(9 << 20), True),
            (jpeg, False),
            (large, True),
            (progressive, False),
            # 2048 x 2048, gone over ten times.
            (scans, True),
        ):
            inputs = np.array([picture, data], object)
            self.assertEqual(joined.is_large(inputs), expected, data[:30])

    def test_shapes_that_are_open_beyond_rows_stay_alone(self):
        self.assertTrue(joined.can_join(_signature(-1, 2)))
        self.assertFalse(joined.can_join(_signature(-1, -1)))
        self.assertFalse(joined.can_join(_signature(1, 2)))
        self.assertFalse(joined.can_join(_signature()))

    def test_rows_are_put_behind_each_other_and_filled_up(self):
        requests = [{"x": np.array([1, 2])}, {"x": np.array([3])}]

        self.assertEqual(
            joined.join(requests, 2)["x"].tolist(), [1, 2, 3, 1, 1]
        )

    def test_label_maps_are_cut_to_the_pictures_of_their_request(self):
        label_map = np.full((3, 5, 6), 255, np.uint8)
        label_map[0, :2, :3] = 1
        label_map[1, :4, :1] = 2
        label_map[2, :5, :6] = 3
        outputs = {
            "label_map": label_map,
            "image_size": np.array([[2, 3], [4, 1], [5, 6]]),
            "status": np.array([0, 0, 0]),
        }
        first, second = joined.split(outputs, [2, 1])

        np.testing.assert_array_equal(first["label_map"], label_map[:2, :4, :3])
        np.testing.assert_array_equal(second["label_map"], label_map[2:])

    def test_a_request_without_a_whole_picture_gets_no_label_map(self):
        outputs = {
            "label_map": np.full((2, 5, 6), 255, np.uint8),
            "image_size": np.array([[0, 0], [5, 6]]),
        }
        first, _ = joined.split(outputs, [1, 1])

        self.assertEqual(first["label_map"].shape, (1, 0, 0))

    def test_pictures_that_did_not_fit_are_not_parted(self):
        outputs = {"status": np.array([0, 3])}

        self.assertIsNone(joined.split(outputs, [1, 1]))

    def test_outputs_of_other_rows_are_not_parted(self):
        self.assertIsNone(joined.split({"y": np.array([1])}, [1, 1]))
        self.assertIsNone(joined.split({"y": np.array(1)}, [1, 1]))

    def test_rows_that_filled_up_are_dropped(self):
        first, second = joined.split({"y": np.arange(4)}, [1, 2])

        self.assertEqual(first["y"].tolist(), [0])
        self.assertEqual(second["y"].tolist(), [1, 2])


if __name__ == "__main__":
    absltest.main()

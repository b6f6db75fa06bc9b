"""Differences of outputs are found wherever they are."""

import pathlib
import types

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.importing import parity

ORDER = (2, 0, 1)
CHANNELS = {
    keys.HEATMAPS: 3,
    keys.AUXILIARY_HEATMAPS: 3,
    keys.PARSING_LOGITS: 4,
    keys.BOUNDARY_LOGITS: 2,
}


class _Network(types.SimpleNamespace):
    """Predicts the picture's first row, another multiple everywhere."""

    num_stages = 2

    def __call__(self, inputs, training):
        if training:
            raise ValueError("compares in inference mode")
        small = inputs[:, ::4, ::4, :1]
        return {
            key: tuple(
                tf.concat([small * (stage + c + 1) for c in range(count)], -1)
                for stage in range(2)
            )
            for key, count in CHANNELS.items()
        }


def arrays(tag="a", height=32, width=64, order=(0, 1, 2)):
    """Inputs and what the authors' network would make of them."""
    picture = np.random.default_rng(0).normal(size=(2, 3, height, width))
    picture = picture.astype(np.float32)
    small = picture[:, :1, ::4, ::4]
    found = {f"{tag}/x": picture}
    for key, pattern in parity.OUTPUTS.items():
        for stage in range(2):
            numbers = range(CHANNELS[key])
            if "pose" in pattern:
                # Our channel c is the authors' channel order[c].
                numbers = np.argsort(order).tolist()
            found[f"{tag}/{pattern.format(stage)}"] = np.concatenate(
                [small * (stage + c + 1) for c in numbers], 1
            )
    return found


class ParityTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "io.npz"

    def compare(self, values, **kwargs):
        np.savez(self.path, **values)
        return parity.compare(_Network(), self.path, 1e-4, **kwargs)

    @parameterized.parameters([None], [ORDER])
    def test_equal_outputs_are_equal_in_the_order_of_the_file(self, order):
        values = arrays(order=order or (0, 1, 2))

        found = self.compare(values, order=order)

        self.assertTrue(found["within_tolerance"])
        self.assertLess(found["largest_difference"], 1e-6)
        self.assertCountEqual(
            found["outputs"],
            [
                pattern.format(stage)
                for pattern in parity.OUTPUTS.values()
                for stage in range(2)
            ],
        )

    def test_wrong_order_is_noticed(self):
        found = self.compare(arrays(order=ORDER))

        self.assertFalse(found["within_tolerance"])
        self.assertLess(found["outputs"]["par_0_map"], 1e-6)
        self.assertGreater(found["outputs"]["pose_0_map"], 1e-4)

    @parameterized.parameters(
        "pose_0_map", "pose_1_aux", "par_1_map", "par_0_edge"
    )
    def test_one_wrong_number_is_found_at_its_output(self, name):
        values = {**arrays("a"), **arrays("b", 64, 32)}
        values[f"b/{name}"][1, 1, 3, 2] += 0.5

        found = self.compare(values)

        self.assertFalse(found["within_tolerance"])
        self.assertAlmostEqual(found["outputs"][name], 0.5, places=5)
        self.assertAlmostEqual(found["inputs"]["b"][name], 0.5, places=5)
        self.assertAlmostEqual(found["largest_difference"], 0.5, places=5)
        self.assertLess(found["inputs"]["a"][name], 1e-6)
        others = {k: v for k, v in found["outputs"].items() if k != name}
        self.assertLess(max(others.values()), 1e-6)

    @parameterized.parameters(np.nan, np.inf)
    def test_what_is_no_number_is_a_difference(self, value):
        values = arrays()
        values["a/par_0_map"][0, 0, 0, 0] = value

        found = self.compare(values)

        self.assertFalse(found["within_tolerance"])
        self.assertIsNone(found["outputs"]["par_0_map"])
        self.assertIsNone(found["largest_difference"])

    @parameterized.named_parameters(
        ("no_input", {"a/x": None}, "nothing to compare with"),
        ("no_output", {"a/par_1_edge": None}, "a/par_1_edge"),
        ("last_axis", {"a/x": np.zeros([1, 32, 32, 3])}, "sides multiples"),
        ("side", {"a/x": np.zeros([1, 3, 32, 48])}, "sides multiples"),
        ("bytes", {"a/x": np.zeros([1, 3, 32, 32], "u1")}, "floats"),
        (
            "joints",
            {"a/pose_0_map": np.zeros([2, 4, 8, 16])},
            r"a/pose_0_map; expected: \[2, 3, 8, 16\]",
        ),
        ("text", {"a/pose_0_map": np.array("x")}, "another shape"),
    )
    def test_unfit_file_is_one_line(self, changes, text):
        values = {**arrays(), **changes}
        values = {k: v for k, v in values.items() if v is not None}

        with self.assertRaisesRegex(UserError, text):
            self.compare(values)

    def test_file_that_holds_no_arrays_is_one_line(self):
        self.path.write_bytes(b"garbage")

        with self.assertRaisesRegex(UserError, "io.npz"):
            parity.compare(_Network(), self.path, 1e-4)


if __name__ == "__main__":
    absltest.main()

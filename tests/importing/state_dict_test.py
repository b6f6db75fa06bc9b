"""The derived network is the authors' network, by numbers."""

import json

import keras
import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.importing import parity
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_file
from nppnet_tf.models.nppnet import NPPNet
from tests import reference_arrays
from tests.layers.reference_weights import to_ours
from tests.shared import shared_path

# Where LIP, which counts as MPII does, has each of the authors' joints.
AUTHORS_FROM_LIP = [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5, 7, 6]


def small_released_network():
    return NPPNet.from_preset("released", channels=16, cells=8)


class StateDictTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tensors = torch_file.read(
            shared_path("reference/retrain_c8_l8.pth")
        )
        cls.network = small_released_network()
        cls.entries = list(state_dict.network_entries(cls.network))
        state_dict.assign(cls.entries, cls.tensors)

    def test_every_variable_has_one_key(self):
        keys_used = [entry.key for entry in self.entries]
        variables = {id(entry.variable) for entry in self.entries}

        self.assertLen(set(keys_used), len(self.network.variables))
        self.assertLen(variables, len(self.network.variables))

    def test_only_unused_normalizations_are_left_over(self):
        left = set(self.tensors) - {entry.key for entry in self.entries}
        left = {key for key in left if not key.endswith("_tracked")}

        self.assertLen(left, 104)
        # Those that the release keeps beside an excitation at stride 1.
        for key in left:
            squeeze = key.rsplit(".bn.", 1)[0] + ".conv1.weight"
            self.assertIn(squeeze, self.tensors)

    @parameterized.named_parameters(("square", "sq"), ("oblong", "ns"))
    def test_all_eight_outputs_equal_the_release(self, tag):
        arrays = reference_arrays.load("retrain_c8_l8_io_eval.npz")

        outputs = self.network(to_ours(arrays[f"{tag}/x"]), training=False)

        self._assert_outputs(outputs, arrays, tag, 1e-5)

    def test_outputs_with_batch_statistics_equal_the_release(self):
        arrays = reference_arrays.load("retrain_c8_l8_train.npz")
        self.addCleanup(state_dict.assign, self.entries, self.tensors)

        outputs = self.network(to_ours(arrays["x"]), training=True)

        self._assert_outputs(outputs, arrays, "train", 2e-4)
        by_key = {entry.key: entry.variable for entry in self.entries}
        moved = [key for key in arrays if key.startswith("after/")]
        self.assertGreater(len(moved), 100)
        for key in moved:
            name = key.removeprefix("after/")
            if name in by_key:
                np.testing.assert_allclose(
                    by_key[name].value, arrays[key], rtol=1e-3, atol=1e-5
                )

    def _assert_outputs(self, outputs, arrays, tag, tolerance):
        for key, name in parity.OUTPUTS.items():
            for stage in (0, 1):
                expected = to_ours(arrays[f"{tag}/{name.format(stage)}"])
                np.testing.assert_allclose(
                    outputs[key][stage], expected, atol=tolerance
                )

    def test_both_layouts_are_each_others_inverse(self):
        for entry in self.entries[:40]:
            theirs = self.tensors[entry.key]
            np.testing.assert_array_equal(
                entry.to_theirs(entry.to_ours(theirs)), theirs
            )

    def test_release_lists_these_keys_and_shapes_in_this_order(self):
        path = shared_path("reference/retrain_c8_l8_keys.json")
        expected = json.loads(path.read_text())["keys"]

        found = state_dict.to_state_dict(self.entries)

        self.assertEqual(
            [
                [key, list(tensor.shape), f"torch.{tensor.dtype}"]
                for key, tensor in found.items()
            ],
            expected,
        )
        unused = state_dict.unused_normalizations(self.entries)
        self.assertLen(unused, 104)
        for key, tensor in found.items():
            if not key.endswith("_tracked") and key not in unused:
                np.testing.assert_array_equal(tensor, self.tensors[key])

    def test_unused_normalizations_are_those_of_a_fresh_network(self):
        found = state_dict.to_state_dict(self.entries)

        unused = state_dict.unused_normalizations(self.entries)
        ones = {key for key in unused if np.all(found[key] == 1)}
        zeros = {key for key in unused if np.all(found[key] == 0)}

        self.assertTrue(all(k.endswith(("weight", "var")) for k in ones))
        self.assertTrue(all(k.endswith(("bias", "mean")) for k in zeros))
        self.assertEqual(ones | zeros, set(unused))

    def test_joints_of_lip_are_where_the_authors_have_them(self):
        order = state_dict.keypoint_order(descriptors.LIP.keypoints)

        self.assertEqual(np.argsort(order).tolist(), AUTHORS_FROM_LIP)

    def test_other_joints_are_not_reordered(self):
        names = descriptors.PASCAL_PERSON_PART.keypoints

        self.assertIsNone(state_dict.keypoint_order(names))

    def test_order_permutes_the_heatmaps_and_nothing_else(self):
        arrays = reference_arrays.load("retrain_c8_l8_io_eval.npz")
        order = state_dict.keypoint_order(descriptors.LIP.keypoints)
        entries = list(state_dict.network_entries(self.network, order))
        self.addCleanup(state_dict.assign, self.entries, self.tensors)
        before = self.network(to_ours(arrays["ns/x"]), training=False)

        state_dict.assign(entries, self.tensors)
        after = self.network(to_ours(arrays["ns/x"]), training=False)

        for key, stages in before.items():
            for ours, authors in zip(after[key], stages, strict=True):
                expected = np.asarray(authors)
                if key in (keys.HEATMAPS, keys.AUXILIARY_HEATMAPS):
                    expected = np.empty_like(authors)
                    # Authors' joint k is LIP's joint AUTHORS_FROM_LIP[k].
                    expected[..., AUTHORS_FROM_LIP] = authors
                np.testing.assert_allclose(ours, expected, atol=1e-6)
        back = state_dict.to_state_dict(entries)
        for entry in entries:
            np.testing.assert_array_equal(
                back[entry.key], self.tensors[entry.key]
            )

    def test_missing_tensor_is_named(self):
        key = self.entries[0].key
        others = {k: v for k, v in self.tensors.items() if k != key}

        with self.assertRaisesRegex(ValueError, key):
            state_dict.assign(self.entries, others)

    def test_misshapen_tensor_is_named(self):
        key = self.entries[0].key
        tensors = {**self.tensors, key: np.asarray(self.tensors[key])[:, :1]}

        with self.assertRaisesRegex(ValueError, f"{key} must have our shape"):
            state_dict.assign(self.entries, tensors)

    def test_layers_without_keys_are_refused(self):
        with self.assertRaisesRegex(ValueError, "No keys are known"):
            state_dict.entries(keras.layers.Dense(1), "x")


if __name__ == "__main__":
    absltest.main()

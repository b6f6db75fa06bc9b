"""Tests of the eight operations."""

from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.primitives import dilated_convolution
from nppnet_tf.layers.primitives import table
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.training import checkpoints
from tests import reference_arrays
from tests.layers import copied_weights
from tests.layers import reference_weights
from tests.layers.primitives import separable_convolution


class PrimitivesTest(parameterized.TestCase):
    @parameterized.product(
        name=primitives.PAPER, stride=(1, 2), affine=(True, False)
    )
    def test_equals_the_release(self, name, stride, affine):
        suffix = "" if affine else "_noaffine"
        arrays = reference_arrays.load(
            f"operations/op_{name}_s{stride}{suffix}.npz"
        )
        x = reference_weights.to_ours(arrays["x"])
        layer = table.make_layer(name, x.shape[-1], stride)
        layer.build(x.shape)
        reference_weights.fill(layer, arrays)

        for training, key in ((False, "y"), (True, "y_train")):
            y = layer(x, training=training)
            np.testing.assert_allclose(
                y, reference_weights.to_ours(arrays[key]), atol=2e-5
            )

    @parameterized.product(name=tuple(table.forms()), stride=(1, 2))
    def test_declared_shape_is_the_computed_one(self, name, stride):
        layer = table.make_layer(name, 4, stride)
        layer.build((None, None, None, 4))

        y = layer(tf.ones([1, 8, 12, 4]))

        self.assertEqual(y.shape, (1, 8 // stride, 12 // stride, 4))
        self.assertEqual(
            layer.compute_output_shape((1, 8, 12, 4)), tuple(y.shape)
        )

    @parameterized.product(name=tuple(table.forms()), stride=(1, 2))
    def test_config_makes_the_same_layer(self, name, stride):
        layer = table.make_layer(name, 4, stride)

        copy = type(layer).from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())

    def test_thinned_dilation_equals_the_strided_one(self):
        x = tf.random.stateless_normal([1, 8, 8, 3], [1, 2])
        kernel = tf.random.stateless_normal([3, 3, 3, 1], [3, 4])
        full = tf.nn.depthwise_conv2d(
            x, kernel, [1, 1, 1, 1], "SAME", dilations=[4, 4]
        )

        thin, rate = dilated_convolution.subsample_for_dilation(x, 2, 4)
        y = tf.nn.depthwise_conv2d(
            thin, kernel, [1, 1, 1, 1], "SAME", dilations=[rate, rate]
        )

        np.testing.assert_allclose(y, full[:, ::2, ::2], atol=1e-5)

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: name=conv_7x7"):
            table.make_layer("conv_7x7", 4)

    def test_odd_stride_is_refused(self):
        with self.assertRaisesRegex(ValueError, "stride is 1 or 2"):
            table.make_layer(primitives.MAX_POOL_3X3, 4, 3)


class OwnOperationTest(absltest.TestCase):
    """An operation from outside the package, as `docs/extending.md` adds it."""

    def setUp(self):
        super().setUp()
        # What a test registers ends with it.
        self.enterContext(mock.patch.dict(primitives._KNOWN))
        self.enterContext(mock.patch.dict(table._FORMS))
        separable_convolution.register()

    def test_one_hot_mixture_is_the_layer(self):
        space = SearchSpace((*primitives.PAPER, separable_convolution.NAME), 1)
        targets = [Target(0), Target(1)]
        for stride in (1, 2):
            mixed = MixedFanout(8, targets, stride, space)
            mixed.build((None, 8, 8, 8))
            copied_weights.randomize(mixed)
            selected = SelectedFanout(
                8, targets, [separable_convolution.NAME] * 2, stride
            )
            selected.build((None, 8, 8, 8))
            copied_weights.copy_fanout(mixed, selected, [0, 1])
            shares = np.zeros((9, 2, 1), np.float32)
            shares[8] = 1
            x = tf.random.stateless_normal([2, 8, 8, 8], [1, 2])

            outputs = mixed(x, EdgeMixture(shares, tf.ones([2, 1])))

            for output, expected in zip(outputs, selected(x), strict=True):
                np.testing.assert_allclose(output, expected, atol=1e-5)

    def test_it_is_searched_derived_saved_and_drawn(self):
        space = SearchSpace(
            (separable_convolution.NAME, primitives.SKIP_CONNECT)
        )
        search = genotypes.Genotype(genotypes.UNET, fusion=genotypes.SEARCH)
        size = NetworkConfig(channels=16, cells=4, num_fusion_cells=1)
        supernet = NPPNet(search, size, space)
        supernet(tf.zeros([1, 32, 32, 3]))
        for parameters in supernet.architecture.values():
            first = np.tile([1.0, 0.0], (len(parameters.edges), 1))
            parameters.alpha.assign(first)

        derived = pruning.derive(
            search,
            checkpoints.architecture_arrays(supernet),
            space.primitives,
            relaxation.PAPER,
        )
        folder = self.create_tempdir().full_path
        saved_network.save_network(NPPNet(derived, size), folder)
        network, _ = saved_network.load_network(folder)

        kept = {
            choice.primitive
            for node in network.genotype.fusion.pose.nodes
            for choice in node
        }
        self.assertEqual(kept, {separable_convolution.NAME})
        drawing = genotype_drawing.draw(derived)
        self.assertIn(separable_convolution.NAME, drawing.to_svg())

    def test_a_name_is_registered_once(self):
        with self.assertRaisesRegex(ValueError, separable_convolution.NAME):
            separable_convolution.register()


if __name__ == "__main__":
    absltest.main()

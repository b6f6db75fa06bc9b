"""Tests of the edges that leave one state."""

import contextlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import resampling
from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.normalization import frozen_statistics
from nppnet_tf.layers.primitives import table
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space.space import SearchSpace
from tests import reference_arrays
from tests.layers import copied_weights
from tests.layers import reference_weights

RELEASED = primitives.RELEASED_INTERACTION_FUSION


def one_hot(primitives, name, num_targets=1):
    """A mixture that gives every target one operation, edges weighing 1."""
    shares = np.zeros((len(primitives), num_targets, 1), np.float32)
    shares[primitives.index(name)] = 1
    return EdgeMixture(tf.constant(shares), tf.ones([num_targets, 1]))


class MixedFanoutTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("same_level", "upNone", Target(0)),
        ("same_size", "up1.0", Target(0)),
        ("upsampled", "up2", Target(0, 2)),
        ("upsampled_and_projected", "up4_conv", Target(0, 4)),
        ("downsampled", "up0.5", Target(0, 0.5)),
        ("downsampled_and_projected", "up0.5_conv", Target(0, 0.5)),
    )
    def test_equals_the_mixed_op_of_the_release(self, name, target):
        arrays = reference_arrays.load(f"operations/block_mixed_op_{name}.npz")
        tensors = reference_weights.weights_of(arrays)
        x = reference_weights.to_ours(arrays["x0"])
        if "extra_conv.weight" in tensors:
            filters = tensors["extra_conv.weight"].shape[0]
            target = target._replace(filters=filters)
        fanout = MixedFanout(x.shape[-1], [target], space=SearchSpace(RELEASED))
        fanout.build(x.shape)
        reference_weights.fill_mixed_fanout(fanout, tensors, ["_ops"])
        if target.filters:
            kernel = np.transpose(tensors["extra_conv.weight"], (2, 3, 1, 0))
            fanout.projections[0].kernel.assign(kernel)
            fanout.projections[0].bias.assign(tensors["extra_conv.bias"])
        mixture = EdgeMixture(
            tf.constant(arrays["a0"][:, None, None]), tf.ones([1, 1])
        )

        for training, key in ((False, "y"), (True, "y_train")):
            (y,) = fanout(x, mixture=mixture, training=training)
            np.testing.assert_allclose(
                y, reference_weights.to_ours(arrays[key]), atol=1e-4
            )

    @parameterized.product(name=tuple(table.forms()), stride=(1, 2))
    def test_one_hot_mixture_is_the_selected_operation(self, name, stride):
        x = tf.random.stateless_normal([2, 8, 8, 8], [1, 2])
        targets = [Target(0), Target(1)]
        space = SearchSpace(tuple(table.forms()), channel_proportion=1)
        mixed = MixedFanout(8, targets, stride, space)
        mixed.build(x.shape)
        copied_weights.randomize(mixed)
        selected = SelectedFanout(8, targets, [name, name], stride)
        selected.build(x.shape)
        copied_weights.copy_fanout(mixed, selected, [0, 1])

        outputs = mixed(x, mixture=one_hot(space.primitives, name, 2))

        for output, expected in zip(outputs, selected(x), strict=True):
            np.testing.assert_allclose(output, expected, atol=1e-5)

    @parameterized.parameters(2, 4)
    def test_bypassing_channels_arrive_unchanged(self, proportion):
        channels = 16
        x = tf.random.stateless_normal([1, 4, 4, channels], [1, 2])
        fanout = MixedFanout(
            channels,
            [Target(0)],
            space=SearchSpace(channel_proportion=proportion),
        )
        fanout.build(x.shape)

        (y,) = fanout(
            x, mixture=one_hot(primitives.PAPER, primitives.STD_CONV_3X3)
        )

        searched = channels // proportion
        dealt = tf.reshape(y, [1, 4, 4, searched, proportion])
        for group in range(1, proportion):
            np.testing.assert_array_equal(
                dealt[..., group],
                x[..., group * searched : (group + 1) * searched],
            )

    def test_edge_weight_scales_everything(self):
        x = tf.random.stateless_normal([1, 4, 4, 8], [1, 2])
        targets = [Target(0), Target(1, 2, 12)]
        fanout = MixedFanout(8, targets)
        fanout.build(x.shape)
        fanout.projections[1].bias.assign(tf.ones([12]))
        shares = tf.random.stateless_uniform([8, 2, 1], [3, 4])
        full = fanout(x, mixture=EdgeMixture(shares, tf.ones([2, 1])))

        half = fanout(x, mixture=EdgeMixture(shares / 2, tf.fill([2, 1], 0.5)))

        for whole, part in zip(full, half, strict=True):
            np.testing.assert_allclose(part, whole / 2, atol=1e-5)

    @parameterized.product(proportion=(1, 2, 4), stride=(1, 2))
    def test_parts_are_normalized_as_the_whole(self, proportion, stride):
        space = SearchSpace(channel_proportion=proportion)
        fanout = MixedFanout(8, [Target(0), Target(1)], stride, space)
        fanout.build((None, None, None, 8))
        copied_weights.randomize(fanout)
        x = tf.random.stateless_normal([2, 8, 8, 8], [1, 2])
        shares = tf.random.stateless_uniform([8, 2, 1], [3, 4])
        upstream = tf.random.stateless_normal([4, 4, 8], [5, 6])
        results = []
        # Only what need not move statistics is normalized part by part.
        for context in (contextlib.nullcontext, frozen_statistics):
            with context(), tf.GradientTape() as tape:
                tape.watch([x, shares])
                mixture = EdgeMixture(shares, tf.ones([2, 1]))
                outputs = fanout(x, mixture=mixture, training=True)
                total = tf.add_n(
                    [tf.reduce_sum(y[:, :4, :4] * upstream) for y in outputs]
                )
            weights = [w.value for w in fanout.trainable_weights]
            gradients = tape.gradient(total, [x, shares, *weights])
            results.append([*outputs, *gradients])

        for whole, parts in zip(*results, strict=True):
            np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-4)

    @parameterized.parameters(1, 2, 4)
    def test_xla_compiles_it_with_its_gradient(self, proportion):
        space = SearchSpace(channel_proportion=proportion)
        fanout = MixedFanout(8, [Target(0)], space=space)
        fanout.build((None, None, None, 8))
        x = tf.random.stateless_normal([2, 4, 4, 8], [1, 2])
        shares = tf.random.stateless_uniform([8, 1, 1], [3, 4])

        def compute(x):
            with frozen_statistics(), tf.GradientTape() as tape:
                tape.watch(x)
                mixture = EdgeMixture(shares, tf.ones([1, 1]))
                (y,) = fanout(x, mixture=mixture, training=True)
                total = tf.reduce_sum(y**3)
            return y, tape.gradient(total, x)

        @tf.function(jit_compile=True, autograph=False)
        def compiled(x):
            with resampling.for_xla():
                return compute(x)

        for found, expected in zip(compiled(x), compute(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)

    @parameterized.product(proportion=(1, 2, 4), scale=(0.5, 1, 2, 4))
    def test_an_edge_is_resized_and_then_projected(self, proportion, scale):
        x = tf.random.stateless_normal([1, 4, 6, 16], [1, 2])
        space = SearchSpace(channel_proportion=proportion)
        shares = tf.random.stateless_uniform(
            [len(space.primitives), 2, 1], [3, 4]
        )
        mixture = EdgeMixture(shares, tf.constant([[0.7], [0.3]]))
        plain = Target(0, scale), Target(1, scale)
        resized = MixedFanout(16, plain, space=space)
        projected = MixedFanout(
            16, [target._replace(filters=3) for target in plain], space=space
        )
        for fanout in (resized, projected):
            fanout.build(x.shape)
        for ours, theirs in zip(
            projected.operation_weights, resized.operation_weights, strict=True
        ):
            ours.assign(theirs)

        for projection in projected.projections:
            projection.bias.assign([1.0, 2.0, 3.0])

        found = projected(x, mixture=mixture)

        for y, before, projection, weight in zip(
            found,
            resized(x, mixture=mixture),
            projected.projections,
            mixture.edges,
            strict=True,
        ):
            expected = tf.tensordot(before, projection.kernel[0, 0], 1)
            # Eq. 4: beta weighs the bias, too.
            expected += projection.bias * weight
            np.testing.assert_allclose(y, expected, atol=1e-5)

    def test_too_few_channels_are_refused(self):
        with self.assertRaisesRegex(ValueError, "channels=6"):
            MixedFanout(6, [Target(0)])


class SelectedFanoutTest(parameterized.TestCase):
    def test_projection_and_upsampling_commute(self):
        x = tf.random.stateless_normal([1, 4, 6, 8], [1, 2])
        fanout = SelectedFanout(8, [Target(0, 2, 4)], [primitives.SKIP_CONNECT])
        fanout.build(x.shape)
        fanout.projections[0].bias.assign([1.0, 2.0, 3.0, 4.0])

        (y,) = fanout(x)

        resized = tf.raw_ops.ResizeBilinear(
            images=x, size=[8, 12], align_corners=True
        )
        kernel = fanout.projections[0].kernel[0, 0]
        expected = tf.tensordot(resized, kernel, 1) + [1.0, 2.0, 3.0, 4.0]
        np.testing.assert_allclose(y, expected, atol=1e-5)


if __name__ == "__main__":
    absltest.main()

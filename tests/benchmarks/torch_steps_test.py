"""PyTorch computes what our layers, losses and gradients compute.

Tests of nppnet_tf.benchmarks.torch_steps, and of the network and the losses
that it takes; they are skipped where PyTorch is not installed.
"""

import dataclasses
import functools
import weakref
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.benchmarks import edge_by_edge
from nppnet_tf.benchmarks import flat_network
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.benchmarks import torch_peer
from nppnet_tf.benchmarks import training_steps
from nppnet_tf.config import LossConfig
from nppnet_tf.errors import UserError
from nppnet_tf.form import nodes
from nppnet_tf.layers import normalization
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from tests.benchmarks import edge_by_edge_test

SIZE = measuring.Size(8, 4, image_size=(64, 96), batch_size=2)


@functools.cache
def noise():
    return training_steps.noise(SIZE)


def _to_torch(values):
    from nppnet_tf.benchmarks import torch_steps

    return {
        name: torch_steps.to_torch(np.array(value))
        for name, value in values.items()
    }


class TorchTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        if not subjects.has_peer(subjects.TORCH):
            self.skipTest("torch is not installed")
        import torch

        # More would wait for each other where others compute, too.
        torch.set_num_threads(1)

    @parameterized.named_parameters(
        ("derived", published.released),
        (
            "interaction_and_fusion",
            lambda: edge_by_edge_test.supernet().genotype,
        ),
        ("encoder_decoder", lambda: stages.start(stages.ENCODER_DECODER)),
    )
    def test_it_predicts_and_learns_what_the_network_does(self, genotype):
        from nppnet_tf.benchmarks import torch_losses
        from nppnet_tf.benchmarks import torch_network

        # The least width of which every part can be searched.
        config = dataclasses.replace(edge_by_edge_test.CONFIG, channels=16)
        keras.utils.set_random_seed(0)
        network = NPPNet(genotype(), config)
        _disturb(network)
        flat = edge_by_edge.write_down(network, SIZE.image_size)

        found = torch_network.Network(flat)

        batch, joint_loss = noise(), JointLoss(network.num_stages)
        with normalization.frozen_statistics(), tf.GradientTape() as tape:
            expected = network(batch[keys.IMAGE], training=True)
            loss = joint_loss(batch, expected)[keys.TOTAL_LOSS]
        same = _to_torch(batch)
        predicted = found(same[keys.IMAGE])
        for name, value in predicted.items():
            key, stage = name.rsplit("_", 1)
            np.testing.assert_allclose(
                value.detach().permute(0, 2, 3, 1),
                expected[key][int(stage)],
                atol=1e-4,
                err_msg=name,
            )
        self.assertLen(predicted, 4 * network.num_stages)
        torch_loss = torch_losses.JointLoss(network.num_stages, LossConfig())
        torch_loss(same, predicted).backward()
        self.assertEqual(
            sum(each.numel() for each in found.parameters()),
            sum(np.prod(w.shape, dtype=int) for w in network.trainable_weights),
        )
        # Of the first layer, behind everything else; and of what is searched.
        stem = network.branches[0].stem.half.convolution.kernel
        first = next(found.parameters()).grad.permute(2, 3, 1, 0)
        pairs = [(first, stem)]
        for name, part in network.architecture.items():
            mixture = found.architecture[name]
            pairs.append((mixture.alpha.grad, part.alpha))
            pairs.append((mixture.beta.grad, part.beta))
        gradients = tape.gradient(loss, [ours.value for _, ours in pairs])
        for (theirs, _), gradient in zip(pairs, gradients, strict=True):
            # Rounding decides now and then which of two equal values a maximum
            # is; either is within 1e-3 of what float64 gives.
            scale = np.abs(gradient).max()
            np.testing.assert_allclose(
                theirs / scale, gradient / scale, atol=0.05
            )

    @parameterized.named_parameters(
        ("easy_pixels", {}),
        ("least_hard_pixels", {"min_hard_pixels": 9_000}),
        ("threshold", {"min_hard_pixels": 10}),
    )
    def test_it_loses_what_the_network_does(self, constants):
        from nppnet_tf.benchmarks import torch_losses

        config, batch = LossConfig(**constants), noise()
        random = np.random.default_rng(0)
        widths = {
            keys.HEATMAPS: 16,
            keys.AUXILIARY_HEATMAPS: 16,
            keys.PARSING_LOGITS: 20,
            keys.BOUNDARY_LOGITS: 2,
        }
        predictions = {
            name: tuple(
                random.normal(scale=9, size=(2, 16, 24, width)).astype("f")
                for _ in range(2)
            )
            for name, width in widths.items()
        }
        flat = {
            f"{name}_{stage}": value
            for name, stages_of in predictions.items()
            for stage, value in enumerate(stages_of)
        }

        found = torch_losses.JointLoss(2, config)(
            _to_torch(batch), _to_torch(flat)
        )

        expected = JointLoss(2, config)(batch, predictions)
        self.assertAlmostEqual(
            found.item() / float(expected[keys.TOTAL_LOSS]), 1, delta=1e-5
        )

    def test_a_search_moves_weights_and_then_the_architecture(self):
        from nppnet_tf.benchmarks import torch_steps

        flat = edge_by_edge.write_down(
            edge_by_edge_test.supernet(), SIZE.image_size
        )
        batch = {name: np.array(value) for name, value in noise().items()}

        losses = torch_steps.Steps(flat, batch).take()

        self.assertLen(losses, 2)
        self.assertLess(losses[1], losses[0])

    def test_a_process_of_its_own_takes_steps_in_turns(self):
        network = NPPNet(published.unet(), edge_by_edge_test.CONFIG)
        flat = edge_by_edge.write_down(network, SIZE.image_size)
        name = subjects.TORCH
        with torch_peer.beside(name, lambda: flat, noise()) as peer:
            peer.step()
            peer.step()

            found = peer.result()

            self.assertLen(found["seconds_of_each_step"], 2)
            self.assertEqual(
                found["parameters"], edge_by_edge_test.learned(flat)
            )
            for name in ("seconds_per_step", "peak_memory_gb", "threads"):
                self.assertGreater(found[name], 0, name)
            # Ends, whatever of; nobody waits for it.
            peer._process.kill()
            with self.assertRaisesRegex(UserError, "PyTorch has ended"):
                peer.step()


class BesideTest(absltest.TestCase):
    def test_nobody_holds_the_network_while_memory_is_measured(self):
        held = []

        def write_down():
            flat = flat_network.flatten({"a": nodes.Picture(())}, (32, 32))
            held.append(weakref.ref(flat))
            return flat

        with mock.patch.object(torch_peer, "TorchPeer", _StandIn):
            with torch_peer.beside(subjects.TORCH, write_down, {}) as peer:
                self.assertIsInstance(peer, _StandIn)
                self.assertIsNone(held[0]())

    def test_without_a_name_there_is_no_peer(self):
        with torch_peer.beside(None, self.fail, {}) as peer:
            self.assertIsNone(peer)


class _StandIn:
    def __init__(self, flat, batch):
        del flat, batch

    def close(self):
        pass


def _disturb(network):
    """Lets every gain, offset, alpha and beta show a mistake."""
    random = np.random.default_rng(0)
    for weight in network.trainable_weights:
        if weight.name in ("gain", "offset", "alpha", "beta"):
            noise_of = random.normal(scale=0.1, size=weight.shape)
            weight.assign(np.array(weight) + noise_of)


if __name__ == "__main__":
    absltest.main()

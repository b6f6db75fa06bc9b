"""What every layer keeps to, whatever it computes; a table with all of them.

A new layer is a new line of `CASES`, and the last test says so. Sizes are the
smallest that a layer takes.
"""

from tests import two_replicas  # isort: skip  (before any operation)

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

import nppnet_tf
from nppnet_tf import keys
from nppnet_tf.config import LossConfig
from nppnet_tf.layers import normalization
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.cell import Cell
from nppnet_tf.layers.cell import CellGraph
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.convolution import FactorizedReduction
from nppnet_tf.layers.fanout import EdgeMixture
from nppnet_tf.layers.fanout import MixedFanout
from nppnet_tf.layers.fanout import SelectedFanout
from nppnet_tf.layers.fanout import Target
from nppnet_tf.layers.fusion_cell import FusionCell
from nppnet_tf.layers.heads import HighLevelFeatures
from nppnet_tf.layers.heads import PredictionHead
from nppnet_tf.layers.heads import Stem
from nppnet_tf.layers.interaction import Interaction
from nppnet_tf.layers.interaction import PendingTerms
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.primitives.dilated_convolution import DilatedConvolution
from nppnet_tf.layers.primitives.max_pooling import MaxPooling
from nppnet_tf.layers.primitives.pooled_convolution import PooledConvolution
from nppnet_tf.layers.primitives.skip_connection import SkipConnection
from nppnet_tf.layers.primitives.squeeze_excitation import SqueezeExcitation
from nppnet_tf.layers.relaxations.concrete import ConcreteRelaxation
from nppnet_tf.layers.relaxations.dirichlet import DirichletRelaxation
from nppnet_tf.layers.relaxations.gumbel import GumbelRelaxation
from nppnet_tf.layers.relaxations.reinmax import ReinMaxRelaxation
from nppnet_tf.layers.relaxations.relaxation_layer import SoftmaxRelaxation
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.losses.task_weighting import TaskWeighting
from nppnet_tf.models.baseline import BaselineEncoderDecoder
from nppnet_tf.models.baseline import Bottleneck
from nppnet_tf.models.encoder_decoder import EncoderDecoder
from nppnet_tf.models.unet import UNetEncoderDecoder
from nppnet_tf.search_space import published
from nppnet_tf.search_space import topology
from tests.layers import copied_weights
from tests.models import pyramids

# Layers without a case, and why.
WITHOUT_CASE = {
    "GraphCell": "what Cell and FusionCell share",
    "Operation": "what the operations share",
    "RelaxationLayer": "what the relaxations share",
    "Perturbation": "what the perturbations share",
    "RandomSmoothing": "of a search, never of a network; tests/strategies",
    "SkipDropout": "as RandomSmoothing",
    "DrawnRelaxation": "what the relaxations share that draw",
    "NPPNet": "nppnet_test, replicas_test; it takes float32 alone",
    "JointModel": "has no config; tests/training",
    "SearchModel": "as JointModel",
    "RetrainModel": "as JointModel",
}

# Of values of about 1. Rounding grows through the normalizations of a chain,
# the longer the more: each divides by the deviation of few numbers.
TOLERANCE = 1e-4
OF_CHAINS = 3e-3

# Largest median difference of bfloat16 from float32, in deviations.
OF_8_BITS = 0.03

# How outputs of replicas make that of one: sample after sample, by their sum,
# or each is it, where an output does not depend on the samples.
SAMPLES = "samples"
SUM = "sum"
EACH = "each"

_SAMPLES = 4
_RELEASED = published.released()
_POSE = _RELEASED.encoder_decoder.pose


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer and how it is called.

    Attributes:
        make: Makes the layer.
        inputs: Makes what it is called with, the samples first in each array.
        call: Takes the layer, its inputs and `training`.
        build: Takes the layer; None where calling it builds it.
        tolerance: Largest difference between one replica and two.
        join: What makes the output of one replica out of those of several.
        in_float32: Whether it computes in float32 under every policy.
        is_branch: Whether it is so long a chain that rounding hides all else
            where fewer bits or two replicas are compared with one; for these
            tests/training/replicas_test.py has float64.
    """

    make: Callable[[], keras.layers.Layer]
    inputs: Callable[[], Any]
    call: Callable = lambda layer, inputs, training: layer(
        inputs, training=training
    )
    build: Callable[[keras.layers.Layer], None] | None = None
    tolerance: float = TOLERANCE
    join: str = SAMPLES
    in_float32: bool = False
    is_branch: bool = False


def _noise(side=8, channels=8, samples=_SAMPLES):
    shape = (samples, side, side, channels)
    return np.random.default_rng(side).normal(size=shape).astype(np.float32)


def _pair(low=8, high=8):
    return [_noise(low), _noise(high)]


def _plain(layer, inputs, training):
    del training
    return layer(inputs)


def _mixture(edges):
    """An even mixture of the paper's eight operations on some edges."""
    return EdgeMixture(tf.fill([8, edges, 1], 0.125), tf.ones([edges, 1]))


def _searched(layer, inputs, training):
    """Calls a searched cell or graph."""
    num_inputs = len(inputs)
    mixtures = [_mixture(len(g)) for g in topology.cell_groups(num_inputs)]
    return layer(inputs, mixtures=mixtures, training=training)


def _exchange(layer, inputs, training):
    """Calls an interaction at all levels."""
    pending = PendingTerms()
    outputs = []
    for level, feature in enumerate(inputs):
        features = dict(zip(keys.BRANCHES, feature, strict=True))
        outputs.append(
            layer(
                features,
                level=level,
                pending=pending,
                training=training,
            )
        )
    return outputs


def _pyramid(side=8, channels=8):
    return [
        _noise(
            side // topology.level_stride(level),
            topology.level_channels(level, channels),
        )
        for level in range(topology.NUM_LEVELS)
    ]


def _relax(layer, inputs, training):
    del inputs, training  # What is drawn in training: relaxation_test.
    alpha = tf.reshape(tf.range(24.0) / 8, [3, 8])
    return layer.operation_weights(alpha), layer.entropies(alpha)


def _targets_and_predictions():
    random = np.random.default_rng(0)
    maps = random.random((_SAMPLES, 4, 4, 3)).astype(np.float32)
    labels = random.integers(0, 5, (_SAMPLES, 16, 16)).astype(np.int32)
    present = np.ones(_SAMPLES, np.float32)
    batch = {
        keys.HEATMAPS: maps,
        keys.AUXILIARY_HEATMAPS: maps,
        keys.LABEL_MAP: labels,
        keys.BOUNDARY_MAP: labels % 2,
        keys.HAS_LABEL_MAP: present,
        keys.HAS_KEYPOINTS: present,
    }
    predictions = {
        keys.HEATMAPS: (maps + 0.1,),
        keys.AUXILIARY_HEATMAPS: (maps * 2,),
        keys.PARSING_LOGITS: (_noise(4, 5),),
        keys.BOUNDARY_LOGITS: (_noise(4, 2),),
    }
    return batch, predictions


def _weigh(layer, inputs, training):
    del training
    losses = tf.reduce_sum(inputs[:, 0, 0], 0)
    tasks = dict(zip(keys.BRANCHES, tf.unstack(losses), strict=True))
    return layer(
        {task: [loss] for task, loss in tasks.items()},
        {task: tf.constant(1.0) for task in tasks},
    )


def _operations():
    for layer in (
        MaxPooling,
        PooledConvolution,
        SkipConnection,
        SqueezeExcitation,
    ):
        for stride in (1, 2):
            name = f"{layer.__name__}_stride_{stride}"
            yield name, Case(functools.partial(layer, 8, stride), _noise)


# A branch has no `call` of its own.
_of_branch = functools.partial(
    Case,
    inputs=lambda: _noise(32, 3),
    call=pyramids.pyramid_of,
    build=lambda layer: layer.build((None, None, None, 3)),
    is_branch=True,
)

_of_relaxation = functools.partial(
    Case,
    inputs=_noise,
    call=_relax,
    build=lambda layer: layer.build(),
    join=EACH,
    in_float32=True,
)

CASES = {
    "Convolution": Case(lambda: Convolution(4, 3, 2, True), _noise, _plain),
    "ConvolutionBlock": Case(
        lambda: ConvolutionBlock(4, 3, use_bias=True, rectify="both"), _noise
    ),
    "FactorizedReduction": Case(lambda: FactorizedReduction(4), _noise),
    "BatchNormalization": Case(BatchNormalization, _noise),
    "BatchNormalization_with_gain": Case(
        lambda: BatchNormalization(affine=False),
        _noise,
        lambda layer, inputs, training: layer(
            inputs, gain=tf.range(8.0), training=training
        ),
    ),
    **dict(_operations()),
    "DilatedConvolution": Case(lambda: DilatedConvolution(8, 2, 4), _noise),
    "Stem": Case(lambda: Stem(8), lambda: _noise(16, 3)),
    "HighLevelFeatures": Case(
        lambda: HighLevelFeatures(8, (6, 5)),
        _pyramid,
        build=lambda layer: layer.build(),
    ),
    "PredictionHead": Case(lambda: PredictionHead(8, 3), _noise),
    "SelectedFanout": Case(
        lambda: SelectedFanout(
            8,
            [Target(0, 2, 4), Target(1, 0.5, 16), Target(1)],
            ["std_conv_3x3", "max_pool_3x3", "skip_connect"],
        ),
        _noise,
    ),
    "MixedFanout": Case(
        lambda: MixedFanout(8, [Target(0, 2, 4), Target(1)]),
        _noise,
        lambda layer, inputs, training: layer(
            inputs, mixture=_mixture(2), training=training
        ),
    ),
    "CellGraph": Case(
        lambda: CellGraph(8, 2, _POSE.reduction, (2, 2)),
        lambda: _pair(8, 8),
        build=lambda layer: layer.build(),
        tolerance=OF_CHAINS,
    ),
    "Cell": Case(
        lambda: Cell(8, "decoding", _POSE.decoding),
        lambda: _pair(4, 8),
        tolerance=OF_CHAINS,
    ),
    "Cell_searched": Case(
        lambda: Cell(8, "reduction", reduces_first_input=True),
        lambda: _pair(16, 8),
        _searched,
        tolerance=OF_CHAINS,
    ),
    "FusionCell": Case(
        lambda: FusionCell(8, _RELEASED.fusion.pose),
        lambda: [_noise(8, 24), _noise(8, 32), _noise(8, 32)],
        tolerance=OF_CHAINS,
    ),
    "Interaction": Case(
        lambda: Interaction(8, _RELEASED.interaction),
        lambda: [(x, x[::-1]) for x in _pyramid()],
        _exchange,
        lambda layer: layer.build(),
        OF_CHAINS,
    ),
    "ArchitectureParameters": Case(
        lambda: ArchitectureParameters(topology.cell_edges(2), 8),
        lambda: np.zeros((_SAMPLES, 1), np.float32),
        lambda layer, inputs, training: layer(training=training),
        lambda layer: layer.build(),
        join=EACH,
        in_float32=True,
    ),
    "SoftmaxRelaxation": _of_relaxation(SoftmaxRelaxation),
    "GumbelRelaxation": _of_relaxation(GumbelRelaxation),
    "ConcreteRelaxation": _of_relaxation(ConcreteRelaxation),
    "ReinMaxRelaxation": _of_relaxation(ReinMaxRelaxation),
    "DirichletRelaxation": _of_relaxation(DirichletRelaxation),
    "Bottleneck": Case(
        lambda: Bottleneck(4, 2, True), _noise, tolerance=OF_CHAINS
    ),
    "BaselineEncoderDecoder": _of_branch(lambda: BaselineEncoderDecoder(8)),
    "UNetEncoderDecoder": _of_branch(lambda: UNetEncoderDecoder(8, 1.3)),
    "EncoderDecoder": _of_branch(lambda: EncoderDecoder(8, 4, _POSE)),
    "TaskWeighting": Case(
        lambda: TaskWeighting(1, dict.fromkeys(keys.BRANCHES, 0.5)),
        lambda: np.abs(_noise(4, 2)),
        _weigh,
        join=SUM,
        in_float32=True,
    ),
    "JointLoss": Case(
        lambda: JointLoss(1, LossConfig(min_hard_pixels=64)),
        _targets_and_predictions,
        lambda layer, inputs, training: layer(*inputs),
        join=SUM,
        in_float32=True,
    ),
}

_all = parameterized.named_parameters(
    (name, case) for name, case in CASES.items()
)
_short = parameterized.named_parameters(
    (name, case) for name, case in CASES.items() if not case.is_branch
)


def _built(case, weights_of=None):
    """A layer with weights, those of another if one is given."""
    keras.utils.set_random_seed(0)
    layer = case.make()
    if case.build is not None:
        case.build(layer)
    elif not layer.built:
        case.call(layer, _tensors(case.inputs()), False)
    if weights_of is None:
        copied_weights.randomize(layer)
    else:
        _copy(weights_of, layer)
    return layer


@functools.cache
def _known(case):
    """A layer that nobody trains, and its outputs."""
    layer = _built(case)
    return layer, _outputs(case, layer)


@functools.cache
def _revived(case):
    """A layer made from the config of the known one, with its weights."""
    layer, _ = _known(case)
    again = type(layer).from_config(layer.get_config())
    return _built(dataclasses.replace(case, make=lambda: again), layer)


def _copy(source, target):
    for theirs, ours in zip(source.weights, target.weights, strict=True):
        ours.assign(keras.ops.convert_to_numpy(theirs))


def _tensors(structure):
    return tf.nest.map_structure(tf.constant, structure)


def _outputs(case, layer, inputs=None, training=False):
    inputs = case.inputs() if inputs is None else inputs
    return tf.nest.flatten(case.call(layer, _tensors(inputs), training))


def _assert_equal(outputs, expected, tolerance=1e-6):
    for output, value in zip(outputs, expected, strict=True):
        value = np.asarray(value, np.float32)
        np.testing.assert_allclose(
            np.asarray(output, np.float32),
            value,
            atol=tolerance * max(np.abs(value).max(), 1),
        )


class ConformanceTest(parameterized.TestCase):
    @_all
    def test_config_makes_an_equal_layer(self, case):
        layer, expected = _known(case)

        again = _revived(case)

        self.assertIsNot(again, layer)
        self.assertEqual(again.get_config(), layer.get_config())
        _assert_equal(_outputs(case, again), expected, 0)

    @_all
    def test_keras_writes_and_reads_its_weights(self, case):
        (layer, _), other = _known(case), _revived(case)
        self.addCleanup(_copy, layer, other)
        for weight in other.weights:
            weight.assign(tf.zeros_like(weight))
        path = self.create_tempfile("layer.weights.h5").full_path

        _holder(layer).save_weights(path)
        _holder(other).load_weights(path)

        self.assertEqual(
            [weight.path.split("/")[1:] for weight in other.weights],
            [weight.path.split("/")[1:] for weight in layer.weights],
        )
        _assert_equal(other.weights, layer.weights, 0)

    @_all
    def test_it_is_traced_once_for_equal_shapes(self, case):
        layer, expected = _known(case)
        inputs = _tensors(case.inputs())
        graph = tf.function(lambda inputs: case.call(layer, inputs, False))

        outputs = tf.nest.flatten(graph(inputs))
        graph(tf.nest.map_structure(tf.identity, inputs))

        self.assertEqual(graph.experimental_get_tracing_count(), 1)
        _assert_equal(outputs, expected, TOLERANCE)

    @_short
    def test_two_replicas_are_one(self, case):
        strategy = two_replicas.strategy()
        layer, _ = _known(case)
        with strategy.scope():
            copy = _built(case, layer)
        inputs = case.inputs()

        with normalization.frozen_statistics():
            expected, of_one = _step(case, layer, _tensors(inputs))
        shares = strategy.run(
            functools.partial(_step, case, copy),
            args=(two_replicas.split(strategy, inputs),),
        )

        outputs = [_joined(strategy, x, case.join) for x in shares[0]]
        _assert_equal(outputs, expected, case.tolerance)
        # Gradients are sums over samples and pixels, with rounding of each.
        join = EACH if case.join == EACH else SUM
        gradients = [_joined(strategy, x, join) for x in shares[1]]
        _assert_equal(gradients, of_one, 10 * case.tolerance)

    @_short
    def test_bfloat16_is_near_float32(self, case):
        layer, _ = _known(case)
        self.addCleanup(
            keras.config.set_dtype_policy, keras.config.dtype_policy()
        )
        keras.config.set_dtype_policy("mixed_bfloat16")
        narrow = _built(case, layer)

        for training in (False, True):
            outputs = _outputs(case, narrow, training=training)
            with normalization.frozen_statistics():
                expected = _outputs(case, layer, training=training)
            for output, value in zip(outputs, expected, strict=True):
                dtype = tf.float32 if case.in_float32 else tf.bfloat16
                self.assertEqual(output.dtype, dtype)
                _assert_near(output, value)
        for weight in narrow.trainable_weights:
            self.assertEqual(weight.dtype, "float32")


class TableTest(absltest.TestCase):
    def test_every_layer_is_in_the_table(self):
        known = {type(case.make()).__name__ for case in CASES.values()}

        self.assertCountEqual(_layers(), known | set(WITHOUT_CASE))
        self.assertNoCommonElements(known, WITHOUT_CASE)


def _step(case, layer, inputs):
    """Outputs of a step, and the gradients of a loss by all weights."""
    variables = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        outputs = tf.nest.flatten(case.call(layer, inputs, True))
        loss = sum(tf.reduce_sum(tf.sin(output)) for output in outputs)
        if case.join == SUM:
            loss = outputs[0]
    return outputs, tape.gradient(
        loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def _joined(strategy, value, join):
    first, *others = strategy.experimental_local_results(value)
    if join == SAMPLES:
        return tf.concat([first, *others], 0)
    if join == SUM:
        return tf.add_n([first, *others])
    for other in others:
        np.testing.assert_array_equal(first, other)
    return first


def _holder(layer):
    """A model of one layer: Keras saves models."""
    holder = keras.Model()
    holder.layer = layer
    holder.built = True
    return holder


def _assert_near(output, expected):
    """Most values differ by what 8 bits let them; none is lost."""
    output, expected = np.asarray(output, np.float32), np.asarray(expected)
    if not np.isfinite(output).all():
        raise AssertionError("not finite")
    scale = max(expected.std(), np.abs(expected).mean(), 1e-3)
    far = np.median(np.abs(output - expected)) / scale
    if far > OF_8_BITS:
        raise AssertionError(f"{far:.3f} of a deviation from float32")


def _layers():
    """Names of all layers of the package."""
    found = set()
    for module in pkgutil.walk_packages(nppnet_tf.__path__, "nppnet_tf."):
        # The peers of benchmarks, which need PyTorch, are no layers of Keras.
        if module.name.startswith("nppnet_tf.benchmarks.torch_"):
            continue
        names = vars(importlib.import_module(module.name))
        found |= {
            name
            for name, value in names.items()
            if inspect.isclass(value)
            and issubclass(value, keras.layers.Layer)
            and value.__module__.startswith("nppnet_tf.")
        }
    return found


if __name__ == "__main__":
    absltest.main()

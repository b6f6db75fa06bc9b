"""What single operations take: the table that a search with `target_ms` reads.

Operations are timed in turns, in the form in which a derived network is
exported, and the median of each counts: whatever else the machine does is then
the same for all of them. TensorFlow takes several of one operation in one call,
whose own time is then divided among them.
"""

import dataclasses
import importlib.util
import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf.benchmarks import forward_pass
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import onnx_model
from nppnet_tf.form import rules
from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.primitives import table
from nppnet_tf.models import choice_costs
from nppnet_tf.models import latency_table
from nppnet_tf.models.latency_table import LatencyTable
from nppnet_tf.models.latency_table import Operation
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.space import PAPER

# Of one operation in one call of TensorFlow.
_AT_ONCE = 8

_REST = "whole network"


def measure(
    start: genotypes.Genotype,
    config: NetworkConfig,
    image_size: tuple[int, int],
    runtime: str,
    repeats: int,
) -> dict[str, Any]:
    """Times every operation that a derived network may have, at its sizes.

    Args:
        start: Genotype with "search" in the parts that are chosen.
        config: Size of the derived network.
        image_size: (height, width) of its input.
        runtime: One of `subjects.RUNTIMES`.
        repeats: Calls of each, in turns.

    Returns:
        The table as `latency_table.read` reads it. What is not chosen takes
        the time of a whole network without its choices.

    Raises:
        UserError: If the runtime is not installed.
    """
    if (
        runtime == subjects.ONNX_RUNTIME
        and importlib.util.find_spec(runtime) is None
    ):
        raise UserError(
            "runtime is not installed",
            "`runtime`",
            subjects.TENSORFLOW,
            runtime,
        )
    call_of = _tensorflow if runtime == subjects.TENSORFLOW else _onnx_runtime
    cheap = choice_costs.cheap_genotype(start, PAPER)
    operations = latency_table.operations_of(start, config, image_size)
    with tempfile.TemporaryDirectory() as folder:
        network = NPPNet(cheap, config)
        whole = rules.inference(description.describe(network), image_size)
        calls = {_REST: call_of(whole, image_size, 3, folder, 1)}
        for number, operation in enumerate(operations):
            outputs = _form_of(operation)
            if outputs is not None:
                path = os.path.join(folder, str(number))
                os.mkdir(path)
                size = operation.height, operation.width
                calls[str(operation)] = call_of(
                    outputs, size, operation.channels, path, _AT_ONCE
                )
        times = measuring.in_turns(calls, repeats)
    at_once = _AT_ONCE if runtime == subjects.TENSORFLOW else 1
    found = {
        operation: times[str(operation)]["median"] / at_once
        if str(operation) in times
        # The state as it is takes no time.
        else 0.0
        for operation in operations
    }
    chosen = LatencyTable(found, 0.0).costs(start, config, image_size)
    rest = times[_REST]["median"] - chosen.of(cheap)
    return latency_table.to_plain(
        {operation: round(value, 5) for operation, value in found.items()},
        round(max(rest, 0.0), 4),
        runtime=runtime,
        repeats=repeats,
        **dataclasses.asdict(config),
        image_size=list(image_size),
    )


def _form_of(operation: Operation) -> nodes.Outputs | None:
    """Returns an operation as it is exported; None where it does nothing."""
    if operation.name == latency_table.PROJECTION:
        layer = Convolution(operation.filters, 1, use_bias=True)
    else:
        layer = table.make_layer(
            operation.name, operation.channels, operation.stride
        )
    layer.build((None, None, None, operation.channels))
    given = forward_pass.Given((), operation.channels)
    node = description.layer(layer, given)
    if node is given:
        return None
    size = operation.height, operation.width
    outputs: nodes.Outputs = {"out": node}
    for rule in rules.rules_for(size):
        outputs = rule(outputs)
    return outputs


def _tensorflow(
    outputs: nodes.Outputs,
    size: tuple[int, int],
    channels: int,
    folder: str,
    at_once: int,
) -> Callable[[], object]:
    """Returns a call of so many of a form, one after the other."""
    del folder
    shape = [1, *size, channels]
    values = [tf.random.stateless_normal(shape, [1, n]) for n in range(at_once)]
    return forward_pass.several(outputs, values)


def _onnx_runtime(
    outputs: nodes.Outputs,
    size: tuple[int, int],
    channels: int,
    folder: str,
    at_once: int,
) -> Callable[[], object]:
    """Returns a call of a form in ONNX Runtime."""
    del at_once
    model = onnx_model.to_onnx(outputs, size, channels_last=False)
    path = os.path.join(folder, "model.onnx")
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    value = np.random.default_rng(0).normal(size=(1, channels, *size))
    return forward_pass.onnx_runtime(
        path, {onnx_model.IMAGE: value.astype(np.float32)}
    )

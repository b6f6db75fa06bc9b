"""Answers of a derived network: its layers, its saved form, other runtimes."""

import dataclasses
import importlib.util
import os
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.form import answering
from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import onnx_model
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from nppnet_tf.models.cost import cost
from nppnet_tf.models.cost import published_macs_by_part
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.runtimes import onnx
from nppnet_tf.runtimes import openvino
from nppnet_tf.search_space.published import Preset

SAVED_MODEL = "saved model"
LAYERS = "layers"
ONNX_RUNTIME_PUBLISHED = "ONNX Runtime, as published"
ONNX_RUNTIME_FORM = "ONNX Runtime, form"
OPENVINO_FORM = "OpenVINO, form"

_ANY_SIZE = [tf.TensorSpec([None, None, None, 3], tf.float32)]

Call = Callable[[], object]
Predictions = Mapping[str, Sequence[nodes.Node]]


def measure(
    name: str, preset: Preset, size: Size, repeats: int
) -> dict[str, Any]:
    """Times answers of a network on noise, whoever gives them, in turns.

    Args:
        name: What the network is called in the result.
        preset: Genotype and sizes; of a supernet the layers alone are timed.
        size: Pictures and batch.
        repeats: Answers after the first one.

    Returns:
        Seconds, nodes, memory, parameters and operations; of a derived network
        also what each rule of the form saves, and the milliseconds of its
        saved form and, where `onnxruntime` and `openvino` are installed, of
        the network as published and of the form there.
    """
    network = NPPNet(*preset)
    image = tf.random.stateless_normal(
        [size.batch_size, *size.image_size, 3], [1, 2]
    )
    answers = answering.answering(network, size.image_size)
    traced = tf.function(
        answers.function, input_signature=_ANY_SIZE, autograph=False
    )

    def step() -> None:
        traced(image)[keys.PARSING_LOGITS].numpy()

    first = measuring.first(step)
    found = cost(network, size.image_size)
    measured = {
        "genotype": name,
        **dataclasses.asdict(size),
        "parameters": found.parameters,
        "gmac": round(found.macs / 1e9, 2),
        "published_gmac": round(found.published_macs / 1e9, 2),
        **first,
        **measuring.repeat(step, repeats),
        "graph_nodes": measuring.graph_nodes(traced, image),
        "peak_memory_gb": measuring.peak_memory_gb(),
    }
    if network.is_supernet:
        return measured
    macs = published_macs_by_part(network, size.image_size)
    described = description.describe(network)
    return {
        **measured,
        "published_gmac_by_part": {
            part: round(value / 1e9, 2) for part, value in macs.items()
        },
        "rules": [
            {
                "rule": row.rule,
                "gmac": round(row.macs / 1e9, 3),
                "nodes": row.nodes,
            }
            for row in rules.cost_table(described, size.image_size)
        ],
        "milliseconds": _in_turns(network, answers, described, image, repeats),
    }


def _in_turns(
    network: NPPNet,
    answers: answering.Answering,
    described: Predictions,
    image: tf.Tensor,
    repeats: int,
) -> dict:
    """Milliseconds of everybody who answers, called one after the other."""
    layers = tf.function(
        answering.last_stage(network), input_signature=_ANY_SIZE
    )
    with tempfile.TemporaryDirectory() as folder:
        calls = {
            LAYERS: lambda: layers(image)[keys.PARSING_LOGITS].numpy(),
            SAVED_MODEL: _saved(answers, image, folder),
            **_other_runtimes(described, image.numpy(), folder),
        }
        return measuring.in_turns(calls, repeats)


def _saved(answers: answering.Answering, image: tf.Tensor, folder: str) -> Call:
    """Returns a call of what answers as it is exported and loaded again."""
    module = tf.Module()
    module.kept = answers.variables
    module.network = tf.function(
        answers.function, input_signature=_ANY_SIZE, autograph=False
    )
    path = os.path.join(folder, "saved_model")
    tf.saved_model.save(module, path, signatures={"network": module.network})
    loaded = tf.saved_model.load(path)

    def call() -> object:
        # What it was loaded with has to live.
        signature = loaded.signatures["network"]
        return signature(picture=image)[keys.PARSING_LOGITS].numpy()

    return call


def _other_runtimes(
    described: Predictions, picture: np.ndarray, folder: str
) -> dict:
    """Returns calls of the runtimes that are installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return {}
    size = tuple(picture.shape[1:3])
    calls = {}
    for name, outputs in (
        (ONNX_RUNTIME_PUBLISHED, nodes.by_stage(described)),
        (ONNX_RUNTIME_FORM, rules.inference(described, size)),
    ):
        path = os.path.join(folder, f"{len(calls)}.onnx")
        with open(path, "wb") as file:
            model = onnx_model.to_onnx(outputs, size)
            file.write(model.SerializeToString())
        calls[name] = onnx_runtime(path, {onnx_model.IMAGE: picture})
    if importlib.util.find_spec("openvino") is not None:
        calls[OPENVINO_FORM] = _openvino(path, picture)
    return calls


def onnx_runtime(path: str, inputs: dict[str, np.ndarray]) -> Call:
    """Returns a call of an ONNX model on as many threads as there are cores.

    Args:
        path: Path of the model's file.
        inputs: Arrays by the names of the model's inputs.
    """
    session = onnx.session_of(path)
    return lambda: session.run(None, inputs)


@dataclasses.dataclass(frozen=True, eq=False)
class Given(nodes.Picture):
    """What a form begins with that is a part of a network.

    Attributes:
        width: Number of channels.
    """

    width: int

    @property
    def channels(self) -> int:
        return self.width


def several(outputs: nodes.Outputs, values: Sequence[tf.Tensor]) -> Call:
    """Returns a call of a form in TensorFlow, for one value after the other.

    A call takes time itself, which is divided among the values.

    Args:
        outputs: The form.
        values: Inputs of the form [batch, height, width, channels], none
            twice: equal ones would be computed once.
    """
    form = Form(outputs)

    @tf.function(autograph=False)
    def summed(given: Sequence[tf.Tensor]) -> tf.Tensor:
        total = tf.zeros([])
        for value in given:
            with tf.control_dependencies([total]):
                found = form(tf.identity(value))
            # What nobody reads is not computed.
            for tensor in found.values():
                total += tensor[0, 0, 0, 0]
        return total

    return lambda: summed(values).numpy()


def _openvino(path: str, picture: np.ndarray) -> Call:
    compiled = openvino.compiled(path, picture.shape)
    return lambda: compiled(picture)

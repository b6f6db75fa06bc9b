"""A described network as an ONNX model, for other runtimes.

Needs the package `onnx`, of the extra `onnx`. Values are laid out [batch,
channels, height, width] as ONNX has them; input and outputs are as everywhere
here, [batch, height, width, channels].
"""

import dataclasses
from typing import Any

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.form import nodes
from nppnet_tf.form.nodes import Node
from nppnet_tf.form.nodes import Outputs

IMAGE = "image"

# The first version whose Resize takes sizes of some axes.
_OPSET = 18
# The file format that goes with it.
_IR_VERSION = 10

_TO_CHANNELS_FIRST = [0, 3, 1, 2]
_TO_CHANNELS_LAST = [0, 2, 3, 1]
_SIDES = [2, 3]


def to_onnx(
    outputs: Outputs,
    image_size: tuple[int, int],
    channels_last: bool = True,
    batch: int | None = None,
) -> Any:
    """Returns a described network as an ONNX model.

    Args:
        outputs: The network.
        image_size: (height, width) of its input, multiples of 32.
        channels_last: Whether input and outputs are laid out as everywhere
            here, or [batch, channels, height, width].
        batch: How many pictures it takes; any number where None.

    Returns:
        `onnx.ModelProto` with the input `image`, float32 [batch, height,
        width, 3], normalized, and the outputs by their names.

    Raises:
        UserError: If it holds a layer that nobody has described.
    """
    return _Writer(image_size, channels_last, batch).write(outputs)


@dataclasses.dataclass
class _Writer:
    """Collects nodes and weights of one model."""

    image_size: tuple[int, int]
    channels_last: bool
    batch: int | None

    def __post_init__(self) -> None:
        import onnx

        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def write(self, outputs: Outputs) -> Any:
        names: dict[int, str] = {}
        for node in nodes.in_order(outputs.values()):
            inputs = [names[id(read)] for read in node.inputs]
            names[id(node)] = self._add_node(node, inputs)
        for name, node in outputs.items():
            if self.channels_last:
                perm = {"perm": _TO_CHANNELS_LAST}
                self._add("Transpose", [names[id(node)]], name=name, **perm)
            else:
                self._add("Identity", [names[id(node)]], name=name)
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes,
            "nppnet_tf",
            [
                self._value(IMAGE, node)
                for node in nodes.in_order(outputs.values())
                if isinstance(node, nodes.Picture)
            ],
            [self._value(name, node) for name, node in outputs.items()],
            self._weights,
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="nppnet_tf",
        )

    def _size(self, stride: float) -> tuple[int, ...]:
        return tuple(nodes.size_at(side, stride) for side in self.image_size)

    def _value(self, name: str, node: Node) -> Any:
        onnx = self._onnx
        shape = [*self._size(node.stride), node.channels]
        if not self.channels_last:
            shape = [shape[-1], *shape[:-1]]
        return onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.FLOAT, [self.batch or "batch", *shape]
        )

    def _add(
        self, kind: str, inputs: list[str], name: str | None = None, **settings
    ) -> str:
        name = name or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(
            self._onnx.helper.make_node(
                kind, inputs, [name], name=name, **settings
            )
        )
        return name

    def _weight(self, value: np.ndarray) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(
            self._onnx.numpy_helper.from_array(
                np.ascontiguousarray(value), name
            )
        )
        return name

    def _add_node(self, node: Node, inputs: list[str]) -> str:
        match node:
            case nodes.Picture():
                if not self.channels_last:
                    return IMAGE
                return self._add("Transpose", [IMAGE], perm=_TO_CHANNELS_FIRST)
            case nodes.Convolution():
                return self._convolution(node, inputs)
            case nodes.Depthwise():
                return self._depthwise(node, inputs)
            case nodes.Scaling():
                return self._scaling(node, inputs)
            case nodes.Sum():
                total = inputs[0]
                for term in inputs[1:]:
                    total = self._add("Add", [total, term])
                return total
            case nodes.Resizing():
                return self._resizing(node, inputs)
            case nodes.Slice():
                return self._slice(node, inputs)
            case nodes.MaxPooling():
                return self._add(
                    "MaxPool",
                    inputs,
                    kernel_shape=[3, 3],
                    pads=[1] * 4,
                    strides=[node.step] * 2,
                )
            case nodes.AveragePooling():
                return self._add(
                    "AveragePool",
                    inputs,
                    kernel_shape=[2, 2],
                    strides=[2, 2],
                    ceil_mode=1,
                )
            case nodes.Concatenation():
                return self._add("Concat", inputs, axis=1)
        if type(node) in _PLAIN:
            return self._add(_PLAIN[type(node)], inputs)
        raise UserError(
            "an operation of one's own has no form in ONNX",
            expected="operations of the package",
            found=getattr(node, "layer", node),
        )

    def _convolution(self, node: nodes.Convolution, inputs: list[str]) -> str:
        kernel = self._weight(node.kernel.transpose(3, 2, 0, 1))
        margin = node.kernel.shape[0] // 2
        return self._add(
            "Conv",
            [*inputs, kernel, self._weight(node.bias)],
            kernel_shape=list(node.kernel.shape[:2]),
            pads=[margin * node.rate] * 4,
            strides=[node.step] * 2,
            dilations=[node.rate] * 2,
        )

    def _depthwise(self, node: nodes.Depthwise, inputs: list[str]) -> str:
        kernel = self._weight(node.kernel.transpose(2, 3, 0, 1))
        margin = node.rate * (node.kernel.shape[0] // 2)
        return self._add(
            "Conv",
            [*inputs, kernel],
            kernel_shape=list(node.kernel.shape[:2]),
            pads=[margin] * 4,
            dilations=[node.rate] * 2,
            group=node.channels,
        )

    def _scaling(self, node: nodes.Scaling, inputs: list[str]) -> str:
        scale = self._weight(node.scale[:, None, None])
        scaled = self._add("Mul", [*inputs, scale])
        if not node.shift.any():
            return scaled
        return self._add(
            "Add", [scaled, self._weight(node.shift[:, None, None])]
        )

    def _resizing(self, node: nodes.Resizing, inputs: list[str]) -> str:
        size = self._size(node.target)
        settings = {
            "mode": "linear",
            "coordinate_transformation_mode": "align_corners",
        }
        if self.batch is None:
            settings["axes"] = _SIDES
        else:
            # ONNX Runtime loses sizes of some axes where it lays quantized
            # values out anew.
            size = (self.batch, node.channels, *size)
        sizes = self._weight(np.array(size, np.int64))
        return self._add("Resize", [*inputs, "", "", sizes], **settings)

    def _slice(self, node: nodes.Slice, inputs: list[str]) -> str:
        most = np.iinfo(np.int64).max
        bounds = ([node.start] * 2, [most] * 2, _SIDES, [node.step] * 2)
        return self._add(
            "Slice",
            [*inputs, *(self._weight(np.array(x, np.int64)) for x in bounds)],
        )


_PLAIN = {
    nodes.Rectification: "Relu",
    nodes.Sigmoid: "Sigmoid",
    nodes.Product: "Mul",
    nodes.GlobalMean: "GlobalAveragePool",
}

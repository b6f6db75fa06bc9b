"""The operations by name, and which part searches which (Sec. 3.2).

Their layers are in `nppnet_tf.layers.primitives`, one file each. What stands
here is what genotypes and drawings ask for, without TensorFlow.
"""

from collections.abc import Mapping
from typing import NamedTuple

STD_CONV_3X3 = "std_conv_3x3"
STD_CONV_1X1 = "std_conv_1x1"
MAX_POOL_3X3 = "max_pool_3x3"
SKIP_CONNECT = "skip_connect"
DIL_CONV_3X3_2 = "dil_conv_3x3_2"
DIL_CONV_3X3_4 = "dil_conv_3x3_4"
SE_CONNECT = "se_connect"
# Spelled as in the published genotype.
POOLED_CONV = "poled_conv_x1"


class Primitive(NamedTuple):
    """An operation as genotypes and drawings know it.

    Attributes:
        name: Name in genotypes.
        fill: Color of its box in drawings, "#rrggbb".
        outline: Color around it, "#rrggbb".
        meaning: What it does, in a few words.
    """

    name: str
    fill: str
    outline: str
    meaning: str


_KNOWN = {
    primitive.name: primitive
    for primitive in (
        Primitive(STD_CONV_3X3, "#cfe2f7", "#2f6fb0", "3x3 convolution"),
        Primitive(STD_CONV_1X1, "#d5f0f2", "#2492a0", "1x1 convolution"),
        Primitive(MAX_POOL_3X3, "#ffe3c2", "#d9822b", "3x3 max pooling"),
        Primitive(SKIP_CONNECT, "#ececec", "#808080", "the state as it is"),
        Primitive(
            DIL_CONV_3X3_2, "#d6efd3", "#3f8f3a", "depthwise 3x3, dilation 2"
        ),
        Primitive(
            DIL_CONV_3X3_4, "#eaf2b8", "#8a9a1c", "depthwise 3x3, dilation 4"
        ),
        Primitive(SE_CONNECT, "#e6d9f3", "#7a4fa8", "squeeze and excitation"),
        Primitive(
            POOLED_CONV,
            "#fad6dc",
            "#c0455c",
            "average pooling, 3x3, back to size",
        ),
    )
}

# The paper searches these eight everywhere; this is the order of alpha.
PAPER = (
    STD_CONV_3X3,
    STD_CONV_1X1,
    MAX_POOL_3X3,
    SKIP_CONNECT,
    DIL_CONV_3X3_2,
    DIL_CONV_3X3_4,
    SE_CONNECT,
    POOLED_CONV,
)

# The release searched seven per part, in these orders of alpha.
RELEASED_ENCODER_DECODER = (
    STD_CONV_3X3,
    SE_CONNECT,
    DIL_CONV_3X3_4,
    DIL_CONV_3X3_2,
    STD_CONV_1X1,
    MAX_POOL_3X3,
    SKIP_CONNECT,
)
RELEASED_INTERACTION_FUSION = (
    STD_CONV_3X3,
    DIL_CONV_3X3_4,
    SE_CONNECT,
    MAX_POOL_3X3,
    DIL_CONV_3X3_2,
    STD_CONV_1X1,
    POOLED_CONV,
)


def known() -> Mapping[str, Primitive]:
    """Returns every operation there is, by its name."""
    return dict(_KNOWN)


def register(primitive: Primitive) -> None:
    """Makes genotypes and drawings know an operation.

    `nppnet_tf.layers.primitives.table.register` does it, and adds its layer.

    Raises:
        ValueError: If there is an operation of this name.
    """
    if primitive.name in _KNOWN:
        raise ValueError(
            f"There is such an operation. Received: {primitive.name}"
        )
    _KNOWN[primitive.name] = primitive


def require(name: str) -> None:
    """Raises a ValueError unless there is such an operation."""
    if name not in _KNOWN:
        raise ValueError(
            f"name is one of {', '.join(_KNOWN)}. Received: name={name}"
        )

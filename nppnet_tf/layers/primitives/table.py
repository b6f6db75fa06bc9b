"""Which layer and which wide form each operation has."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras

from nppnet_tf.layers.primitives import dilated_convolution
from nppnet_tf.layers.primitives import standard_convolution
from nppnet_tf.layers.primitives.max_pooling import MaxPooling
from nppnet_tf.layers.primitives.max_pooling import WideMaxPooling
from nppnet_tf.layers.primitives.operation import WideOperation
from nppnet_tf.layers.primitives.pooled_convolution import PooledConvolution
from nppnet_tf.layers.primitives.pooled_convolution import WidePooledConvolution
from nppnet_tf.layers.primitives.skip_connection import SkipConnection
from nppnet_tf.layers.primitives.skip_connection import WideSkipConnection
from nppnet_tf.layers.primitives.squeeze_excitation import SqueezeExcitation
from nppnet_tf.layers.primitives.squeeze_excitation import WideSqueezeExcitation
from nppnet_tf.search_space import primitives


class Forms(NamedTuple):
    """Both forms of an operation.

    Attributes:
        layer: Makes the layer of a derived network, of (channels, stride,
            name=...).
        wide: Makes the form of a supernet, of (fanout, names). Operations
            with the same maker share one form.
    """

    layer: Callable[..., keras.layers.Layer]
    wide: Callable[[Any, Sequence[str]], WideOperation]


# Weights of a fan-out are made in this order, whatever the order of alpha.
_FORMS = {
    primitives.STD_CONV_3X3: Forms(
        standard_convolution.make_3x3, standard_convolution.Wide3x3
    ),
    primitives.STD_CONV_1X1: Forms(
        standard_convolution.make_1x1, standard_convolution.Wide1x1
    ),
    primitives.POOLED_CONV: Forms(PooledConvolution, WidePooledConvolution),
    primitives.DIL_CONV_3X3_2: Forms(
        dilated_convolution.make_rate_2,
        dilated_convolution.WideDilatedConvolution,
    ),
    primitives.DIL_CONV_3X3_4: Forms(
        dilated_convolution.make_rate_4,
        dilated_convolution.WideDilatedConvolution,
    ),
    primitives.SE_CONNECT: Forms(SqueezeExcitation, WideSqueezeExcitation),
    primitives.SKIP_CONNECT: Forms(SkipConnection, WideSkipConnection),
    primitives.MAX_POOL_3X3: Forms(MaxPooling, WideMaxPooling),
}


def forms() -> Mapping[str, Forms]:
    """Returns the forms of every operation there is, by its name."""
    return dict(_FORMS)


def register(
    primitive: primitives.Primitive,
    layer: Callable[..., keras.layers.Layer],
    wide: Callable[[Any, Sequence[str]], WideOperation],
) -> None:
    """Adds an operation of one's own, for this process.

    Search spaces, genotypes, saved networks and drawings know it from here on;
    a process that reads them registers it first.

    Args:
        primitive: Name of the operation and what drawings show of it.
        layer: Makes its layer, see `Forms`.
        wide: Makes its form for many edges at once, see `Forms`.

    Raises:
        ValueError: If there is an operation of this name.
    """
    primitives.register(primitive)
    _FORMS[primitive.name] = Forms(layer, wide)


def make_layer(
    name: str, channels: int, stride: int = 1, layer_name: str | None = None
) -> keras.layers.Layer:
    """Returns the layer of one operation.

    Args:
        name: Name of the operation.
        channels: Channels of its input and output.
        stride: 1 or 2.
        layer_name: Name of the layer; the operation's name where None.

    Raises:
        ValueError: If there is no such operation.
    """
    primitives.require(name)
    return _FORMS[name].layer(channels, stride, name=layer_name or name)


def wide_operations(
    fanout: Any, names: Sequence[str]
) -> dict[str, WideOperation]:
    """Returns what computes each operation of a searched fan-out, by name.

    Args:
        fanout: The `MixedFanout`.
        names: Names in the order of alpha.

    Raises:
        ValueError: If there is no such operation.
    """
    for name in names:
        primitives.require(name)
    found = {}
    for maker in dict.fromkeys(forms.wide for forms in _FORMS.values()):
        own = [name for name in names if _FORMS[name].wide is maker]
        if own:
            found |= dict.fromkeys(own, maker(fanout, own))
    return found

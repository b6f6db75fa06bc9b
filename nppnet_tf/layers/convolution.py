"""Convolutions with symmetric padding, and the blocks made of them."""

import keras
import tensorflow as tf

from nppnet_tf.layers.normalization import BatchNormalization

# Of more numbers than this, at no more positions than that, oneDNN spends most
# of a convolution's time on laying out its kernel.
_LARGE_KERNEL = 4_000_000
_FEW_POSITIONS = 256


def convolve(inputs, kernel, stride: int = 1, dilation: int = 1):
    """Convolves with the same padding on every side, as PyTorch does.

    TensorFlow's "SAME" pads a stride-2 convolution on one side only, which
    shifts the picture by a pixel against networks trained elsewhere.

    Args:
        inputs: Float tensor [batch, height, width, channels].
        kernel: Float tensor [size, size, channels, filters], odd size.
        stride: Stride in height and width.
        dilation: Distance between the kernel's taps; 1 where the stride is
            not.

    Returns:
        Float tensor [batch, height / stride, width / stride, filters].
    """
    if stride == dilation == 1 and _is_large_at_few_positions(inputs, kernel):
        return _convolve_by_product(inputs, kernel)
    padding = "SAME"
    margin = dilation * (kernel.shape[0] // 2)
    if stride > 1 and margin:
        padding = [[0, 0], [margin, margin], [margin, margin], [0, 0]]
    return tf.nn.conv2d(inputs, kernel, stride, padding, dilations=dilation)


def _is_large_at_few_positions(inputs, kernel) -> bool:
    _, height, width, _ = inputs.shape
    return (
        kernel.shape[0] > 1
        and kernel.shape.num_elements() > _LARGE_KERNEL
        and None not in (height, width)
        and height * width <= _FEW_POSITIONS
        # Accelerators have kernels of their own for it.
        and all(
            device.device_type == "CPU"
            for device in tf.config.list_physical_devices()
        )
    )


def _convolve_by_product(inputs, kernel):
    """Convolves as one product of matrices: neighborhoods by the kernel.

    With its gradients a third of the time of TensorFlow's own convolution, for
    1,024 channels at 2 x 6 x 6 positions on two cores (TensorFlow 2.20).
    """
    size, _, channels, filters = kernel.shape
    _, height, width, _ = inputs.shape
    margin = [size // 2, size // 2]
    padded = tf.pad(inputs, [[0, 0], margin, margin, [0, 0]])
    neighborhoods = tf.concat(
        [
            padded[:, top : top + height, left : left + width]
            for top in range(size)
            for left in range(size)
        ],
        axis=-1,
    )
    rows = size * size * channels
    outputs = tf.reshape(neighborhoods, [-1, rows]) @ tf.reshape(
        kernel, [rows, filters]
    )
    return tf.reshape(outputs, [-1, height, width, filters])


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Convolution(keras.layers.Layer):
    """A convolution with symmetric padding.

    Args:
        filters: Channels of the output.
        kernel_size: 1 or 3.
        stride: 1 or 2.
        use_bias: Whether a bias is added.

    Input shape:
        [batch, height, width, channels]

    Output shape:
        [batch, height / stride, width / stride, filters]
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        stride: int = 1,
        use_bias: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.use_bias = use_bias

    def build(self, input_shape) -> None:
        size = self.kernel_size
        self.kernel = self.add_weight(
            shape=(size, size, input_shape[-1], self.filters),
            # Xavier's normal initialization, as the release.
            initializer="glorot_normal",
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,), initializer="zeros", name="bias"
            )
        self.built = True

    def call(self, inputs):
        outputs = convolve(inputs, self.kernel.value, self.stride)
        if self.use_bias:
            # Not bias_add: TensorFlow 2.20 fails to fuse a convolution, its
            # BiasAdd and a sum where the convolution has another reader, and
            # then gives up all fusions of the graph.
            outputs += self.bias.value
        return outputs

    def compute_output_shape(self, input_shape):
        return strided_shape(input_shape, self.stride, self.filters)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "use_bias": self.use_bias,
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class ConvolutionBlock(keras.layers.Layer):
    """Rectification, convolution, normalization, in the release's order.

    Args:
        filters: Channels of the output.
        kernel_size: 1 or 3.
        stride: 1 or 2.
        use_bias: Whether the convolution has a bias.
        rectify: "before" the convolution, "after" the normalization, "both" or
            "none".

    Input shape:
        [batch, height, width, channels]

    Output shape:
        [batch, height / stride, width / stride, filters]
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 1,
        stride: int = 1,
        use_bias: bool = False,
        rectify: str = "before",
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if rectify not in ("before", "after", "both", "none"):
            raise ValueError(
                "rectify is one of before, after, both, none. "
                f"Received: rectify={rectify}"
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.use_bias = use_bias
        self.rectify = rectify
        self.convolution = Convolution(
            filters, kernel_size, stride, use_bias, name="convolution"
        )
        self.normalization = BatchNormalization(name="normalization")

    def build(self, input_shape) -> None:
        self.convolution.build(input_shape)
        self.normalization.build(self.compute_output_shape(input_shape))
        self.built = True

    def call(self, inputs, training=None):
        if self.rectify in ("before", "both"):
            inputs = tf.nn.relu(inputs)
        outputs = self.convolution(inputs)
        outputs = self.normalization(outputs, training=training)
        if self.rectify in ("after", "both"):
            outputs = tf.nn.relu(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        return strided_shape(input_shape, self.stride, self.filters)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "use_bias": self.use_bias,
            "rectify": self.rectify,
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class FactorizedReduction(keras.layers.Layer):
    """Halves height and width without losing a pixel's neighborhood.

    Two strided 1x1 convolutions look at pixels one apart; their outputs are
    concatenated and normalized.

    Args:
        filters: Channels of the output, even.

    Input shape:
        [batch, height, width, channels], even sides.

    Output shape:
        [batch, height / 2, width / 2, filters]
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if filters % 2:
            raise ValueError(f"filters must be even. Received: {filters=}")
        self.filters = filters
        self.even = Convolution(filters // 2, 1, 2, name="even")
        self.odd = Convolution(filters // 2, 1, 2, name="odd")
        self.normalization = BatchNormalization(name="normalization")

    def build(self, input_shape) -> None:
        self.even.build(input_shape)
        self.odd.build(input_shape)
        self.normalization.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, inputs, training=None):
        inputs = tf.nn.relu(inputs)
        outputs = [self.even(inputs), self.odd(without_first(inputs))]
        return self.normalization(tf.concat(outputs, -1), training=training)

    def compute_output_shape(self, input_shape):
        return strided_shape(input_shape, 2, self.filters)

    def get_config(self) -> dict:
        return {**super().get_config(), "filters": self.filters}


def without_first(inputs):
    """Drops the first row and the first column.

    As `inputs[:, 1:, 1:]`, whose gradient takes ten times as long.
    """
    return tf.slice(inputs, [0, 1, 1, 0], [-1, -1, -1, -1])


def strided_shape(input_shape, stride: int, filters: int) -> tuple:
    """Shape after a strided layer; unknown sides stay unknown."""
    sides = tuple(
        None if side is None else -(-side // stride)
        for side in input_shape[1:3]
    )
    return (input_shape[0], *sides, filters)

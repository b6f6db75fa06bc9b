"""Stem, high-level features (Eq. 6) and prediction heads.

Their form is silent in the paper and follows the release.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import Convolution
from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.resize import rescale
from nppnet_tf.search_space import topology

# Of the two levels of every feature; the fusion cell keeps these widths.
MAIN_WIDTH = 4
AUXILIARY_WIDTH = 3


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Stem(keras.layers.Layer):
    """Three convolutions that bring a picture to a quarter of its size.

    Args:
        channels: C.

    Input shape:
        [batch, height, width, 3]

    Returns:
        Outputs of the second and the third, [batch, height / 4, width / 4, C].
    """

    def __init__(self, channels: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.half = ConvolutionBlock(
            channels // 2, 3, 2, rectify="after", name="half"
        )
        self.quarter = ConvolutionBlock(
            channels, 3, 2, rectify="after", name="quarter"
        )
        self.last = ConvolutionBlock(channels, 3, rectify="none", name="last")

    def build(self, input_shape) -> None:
        for layer in (self.half, self.quarter, self.last):
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        quarter = self.half(inputs, training=training)
        quarter = self.quarter(quarter, training=training)
        return quarter, self.last(quarter, training=training)

    def get_config(self) -> dict:
        return {**super().get_config(), "channels": self.channels}


@keras.saving.register_keras_serializable(package="nppnet_tf")
class HighLevelFeatures(keras.layers.Layer):
    """Main and auxiliary feature of one branch (Eq. 6).

    Args:
        channels: C; the main feature is 4C wide, the auxiliary 3C.
        levels: Pyramid levels to concatenate, at the size of the last level.

    Call arguments:
        pyramid: The seven features of one branch.

    Returns:
        Main and auxiliary feature at a quarter of the input's size.
    """

    def __init__(
        self, channels: int, levels: Sequence[int] = (6, 5, 4), **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.levels = tuple(levels)
        self.main = ConvolutionBlock(
            MAIN_WIDTH * channels, use_bias=True, name="main"
        )
        self.auxiliary = ConvolutionBlock(
            AUXILIARY_WIDTH * channels, use_bias=True, name="auxiliary"
        )

    def build(self, input_shape=None) -> None:
        width = sum(
            topology.level_channels(level, self.channels)
            for level in self.levels
        )
        for layer in (self.main, self.auxiliary):
            layer.build((None, None, None, width))
        self.built = True

    def call(self, pyramid, training=None):
        features = tf.concat(
            [
                rescale(pyramid[level], topology.level_stride(level))
                for level in self.levels
            ],
            -1,
        )
        return (
            self.main(features, training=training),
            self.auxiliary(features, training=training),
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "levels": list(self.levels),
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class PredictionHead(keras.layers.Layer):
    """One convolution block, then a 1x1 convolution to the prediction.

    Args:
        hidden: Channels of the block.
        outputs: Channels of the prediction.
        kernel_size: Kernel size of the block.
        use_bias: Whether the block's convolution has a bias.

    Input shape:
        [batch, height, width, channels]

    Output shape:
        [batch, height, width, outputs]
    """

    def __init__(
        self,
        hidden: int,
        outputs: int,
        kernel_size: int = 1,
        use_bias: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden = hidden
        self.outputs = outputs
        self.kernel_size = kernel_size
        self.use_bias = use_bias
        self.block = ConvolutionBlock(
            hidden, kernel_size, use_bias=use_bias, rectify="both", name="block"
        )
        self.prediction = Convolution(
            outputs, 1, use_bias=True, name="prediction"
        )

    def build(self, input_shape) -> None:
        self.block.build(input_shape)
        self.prediction.build((*input_shape[:-1], self.hidden))
        self.built = True

    def call(self, inputs, training=None):
        return self.prediction(self.block(inputs, training=training))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "outputs": self.outputs,
            "kernel_size": self.kernel_size,
            "use_bias": self.use_bias,
        }

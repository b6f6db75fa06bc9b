"""The baseline's branch: ResNet-50 and FPN, row 1 of Table 5."""

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.heads import Stem
from nppnet_tf.layers.resize import rescale
from nppnet_tf.search_space import topology

# Bottlenecks of the four stages of ResNet-50 [15].
STAGE_BLOCKS = (3, 4, 6, 3)
EXPANSION = 4


def scaled(filters: int, width: float) -> int:
    """Returns a number of filters times a width, at least one."""
    return max(1, round(filters * width))


@keras.saving.register_keras_serializable(package="nppnet_tf")
class Bottleneck(keras.layers.Layer):
    """1x1, 3x3, 1x1 convolutions beside a shortcut [15].

    Args:
        filters: Filters of the inner convolutions; the output has four times as
            many.
        stride: Stride of the 3x3 convolution.
        projects: Whether the shortcut is a 1x1 convolution.
    """

    def __init__(
        self, filters: int, stride: int = 1, projects: bool = False, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.stride = stride
        self.projects = projects
        self.blocks = [
            ConvolutionBlock(filters, 1, rectify="after", name="reduce"),
            ConvolutionBlock(
                filters, 3, stride, rectify="after", name="spatial"
            ),
            ConvolutionBlock(
                EXPANSION * filters, 1, rectify="none", name="expand"
            ),
        ]
        self.shortcut = None
        if projects:
            self.shortcut = ConvolutionBlock(
                EXPANSION * filters, 1, stride, rectify="none", name="shortcut"
            )

    def build(self, input_shape) -> None:
        if self.shortcut is not None:
            self.shortcut.build(input_shape)
        for block in self.blocks:
            block.build(input_shape)
            input_shape = block.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        shortcut = inputs
        if self.shortcut is not None:
            shortcut = self.shortcut(inputs, training=training)
        for block in self.blocks:
            inputs = block(inputs, training=training)
        return tf.nn.relu(inputs + shortcut)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], EXPANSION * self.filters)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "stride": self.stride,
            "projects": self.projects,
        }


@keras.saving.register_keras_serializable(package="nppnet_tf")
class BaselineEncoderDecoder(keras.layers.Layer):
    """ResNet-50 and a feature pyramid network with the pyramid of Eq. 3.

    The paper names the two and nothing more. To stand in the place of a
    searched encoder-decoder in every row of Table 5 it has the same stem and
    the same seven levels: a 1x1 convolution after each stage brings the stage
    to the width of its level, and the next stage goes on from there, so that
    an interaction reaches it. At C = 128 the bottlenecks are ResNet-50's own
    (64, 128, 256, 512).

    Args:
        channels: C of Eq. 3.
        width: Factor of the filters of the bottlenecks.
    """

    def __init__(self, channels: int, width: float = 1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.width = width
        self.stem = Stem(channels, name="stem")
        # Flat, since Keras tracks flat lists; `stage` finds a stage's.
        self.bottlenecks = [
            Bottleneck(
                scaled(channels // 2 * 2**stage, width),
                2 if stage and not block else 1,
                projects=not block,
                name=f"stage_{stage}_block_{block}",
            )
            for stage, count in enumerate(STAGE_BLOCKS)
            for block in range(count)
        ]
        self.necks = [
            self._projection(level, "neck")
            for level in range(topology.NUM_ENCODER_LEVELS)
        ]
        decoder = range(topology.NUM_ENCODER_LEVELS, topology.NUM_LEVELS)
        self.tops = [self._projection(level, "top") for level in decoder]
        self.laterals = [
            self._projection(level, "lateral") for level in decoder
        ]
        self.smooths = [
            self._projection(level, "smooth", 3) for level in decoder
        ]

    def _projection(
        self, level: int, name: str, kernel_size: int = 1
    ) -> ConvolutionBlock:
        return ConvolutionBlock(
            topology.level_channels(level, self.channels),
            kernel_size,
            rectify="none",
            name=f"{name}_{level}",
        )

    def stage(self, level: int) -> list[Bottleneck]:
        start = sum(STAGE_BLOCKS[:level])
        return self.bottlenecks[start : start + STAGE_BLOCKS[level]]

    def build(self, input_shape) -> None:
        self.stem.build(input_shape)
        shape = (None, None, None, self.channels)
        for level, neck in enumerate(self.necks):
            for bottleneck in self.stage(level):
                bottleneck.build(shape)
                shape = bottleneck.compute_output_shape(shape)
            neck.build(shape)
            shape = neck.compute_output_shape(shape)
        for number, top in enumerate(self.tops):
            level = topology.NUM_ENCODER_LEVELS + number
            top.build(self._shape(level - 1))
            for layer in (self.laterals[number], self.smooths[number]):
                layer.build(self._shape(level))
        self.built = True

    def _shape(self, level: int) -> tuple:
        width = topology.level_channels(level, self.channels)
        return (None, None, None, width)

    def encode(self, level, states, mixtures=None, training=None):
        """Runs one stage of ResNet-50; see `EncoderDecoder.encode`."""
        feature = states[1]
        for bottleneck in self.stage(level):
            feature = bottleneck(feature, training=training)
        return states[1], self.necks[level](feature, training=training)

    def decode(self, level, low, skip, mixtures=None, training=None):
        """Adds the lateral to the upsampled; see `EncoderDecoder.decode`."""
        number = level - topology.NUM_ENCODER_LEVELS
        top = rescale(self.tops[number](low, training=training), 2)
        lateral = self.laterals[number](skip, training=training)
        return self.smooths[number](top + lateral, training=training)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "width": self.width,
        }

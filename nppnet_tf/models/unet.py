"""A second baseline's branch: a plain U-Net."""

import keras
import tensorflow as tf

from nppnet_tf.layers.convolution import ConvolutionBlock
from nppnet_tf.layers.heads import Stem
from nppnet_tf.layers.resize import rescale
from nppnet_tf.models.baseline import scaled
from nppnet_tf.search_space import topology

# Of every level: convolution, normalization, rectification, twice.
BLOCKS = 2


@keras.saving.register_keras_serializable(package="nppnet_tf")
class UNetEncoderDecoder(keras.layers.Layer):
    """The network that anybody would try first, with the pyramid of Eq. 3.

    Departs from the paper, which compares with ResNet-50 and FPN alone. Each
    level has two 3x3 convolutions. The first of a level of the encoder halves
    the size, and the first of a level of the decoder sees the level before,
    upsampled, beside the encoder's level of the same size. Stem and levels are
    those of a searched encoder-decoder, so that it stands in the same place.

    Reference:
        Ronneberger et al., U-Net, https://arxiv.org/abs/1505.04597; strides
        stand for its pooling, at the same cost.

    Args:
        channels: C of Eq. 3.
        width: Factor of the filters between both convolutions of a level.
    """

    def __init__(self, channels: int, width: float = 1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.width = width
        self.stem = Stem(channels, name="stem")
        # Flat, since Keras tracks flat lists; `blocks_of` finds a level's.
        self.blocks = [
            self._block(level, number)
            for level in range(topology.NUM_LEVELS)
            for number in range(BLOCKS)
        ]

    def _block(self, level: int, number: int) -> ConvolutionBlock:
        filters = topology.level_channels(level, self.channels)
        is_decoder = level >= topology.NUM_ENCODER_LEVELS
        is_last = number == BLOCKS - 1
        side = "decoding" if is_decoder else "encoding"
        return ConvolutionBlock(
            filters if is_last else scaled(filters, self.width),
            3,
            1 if is_last or is_decoder or level == 0 else 2,
            # The stem ends without a rectification.
            rectify="both" if level == number == 0 else "after",
            name=f"{side}_{level}_{number}",
        )

    def blocks_of(self, level: int) -> list[ConvolutionBlock]:
        """Returns both blocks of a level."""
        return self.blocks[BLOCKS * level : BLOCKS * (level + 1)]

    def build(self, input_shape) -> None:
        self.stem.build(input_shape)
        for level in range(topology.NUM_LEVELS):
            shape = (None, None, None, self._input_width(level))
            for block in self.blocks_of(level):
                block.build(shape)
                shape = block.compute_output_shape(shape)
        self.built = True

    def _input_width(self, level: int) -> int:
        below = topology.level_channels(max(level - 1, 0), self.channels)
        if level < topology.NUM_ENCODER_LEVELS:
            return below
        return below + topology.level_channels(level, self.channels)

    def encode(self, level, states, mixtures=None, training=None):
        """Runs one level of the encoder; see `EncoderDecoder.encode`."""
        return states[1], self._run(level, states[1], training)

    def decode(self, level, low, skip, mixtures=None, training=None):
        """Joins both inputs; see `EncoderDecoder.decode`."""
        joined = tf.concat([skip, rescale(low, 2)], -1)
        return self._run(level, joined, training)

    def _run(self, level, feature, training):
        for block in self.blocks_of(level):
            feature = block(feature, training=training)
        return feature

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "channels": self.channels,
            "width": self.width,
        }

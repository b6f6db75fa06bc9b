"""Values of pixels at the input of every network."""

import numpy as np

# Of ImageNet, RGB, on [0, 1].
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Around a picture that does not cover the input; the release's choice.
FILL = 128

# The same as one product and one difference: value = grey * GAIN - OFFSET.
GAIN = (1 / (255 * np.array(STD))).astype(np.float32)
OFFSET = (np.array(MEAN) / np.array(STD)).astype(np.float32)


def normalise(image: np.ndarray) -> np.ndarray:
    """Maps grey levels to the values a network takes.

    Args:
        image: Uint8 [H, W, 3], RGB.

    Returns:
        Float32 [H, W, 3], `(image / 255 - MEAN) / STD`.
    """
    height, width, _ = image.shape
    # One long row at a time: a last axis of three is slow to broadcast over.
    gain = np.tile(GAIN, width)
    offset = np.tile(OFFSET, width)
    values = image.reshape(height, width * 3) * gain
    values -= offset
    return values.reshape(height, width, 3)

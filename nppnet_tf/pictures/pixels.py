"""Values of pixels at the input of every network."""

import numpy as np

# Of ImageNet, RGB, on [0, 1].
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Around a picture that does not cover the input; the release's choice.
FILL = 128

# The same as one product and one difference: value = gray * GAIN - OFFSET.
GAIN = (1 / (255 * np.array(STD))).astype(np.float32)
OFFSET = (np.array(MEAN) / np.array(STD)).astype(np.float32)

_ROWS_AT_ONCE = 32


def normalize(image: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Maps gray levels to the values a network takes.

    Args:
        image: Uint8 [H, W, 3], RGB.
        out: Float32 [H, W, 3], contiguous, to write into, or None.

    Returns:
        Float32 [H, W, 3], `(image / 255 - MEAN) / STD`.
    """
    height, width, _ = image.shape
    if out is None:
        out = np.empty(image.shape, np.float32)
    # Whole rows: a last axis of three is slow to broadcast over. A few of them
    # at a time, which stay in the processor's cache for all three steps.
    gain, offset = np.tile(GAIN, width), np.tile(OFFSET, width)
    source, target = (a.reshape(height, width * 3) for a in (image, out))
    for top in range(0, height, _ROWS_AT_ONCE):
        rows = target[top : top + _ROWS_AT_ONCE]
        rows[:] = source[top : top + _ROWS_AT_ONCE]
        rows *= gain
        rows -= offset
    return out

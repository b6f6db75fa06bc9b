"""Which predicted joints count as found: one rule for pictures and files.

The network answers with a place for every joint, also for one that the picture
does not show; its score says how sure it is. A joint below the threshold of the
model's description is absent: not drawn, 0, 0, 0 in OpenPose's files, v = 0 in
COCO's, and "visible": false in ours.
"""

import math

import numpy as np

from nppnet_tf.errors import UserError

# A predicted keypoint below this score is a guess nobody wants to see.
SCORE_THRESHOLD = 0.1


def are_visible(
    keypoints_xy: np.ndarray,
    scores: np.ndarray,
    score_threshold: float = SCORE_THRESHOLD,
) -> np.ndarray:
    """Says of every joint whether it was found.

    Args:
        keypoints_xy: Float [K, 2], pixels.
        scores: Float [K], height of the heatmap's peak.
        score_threshold: Least score of a joint that was found.

    Returns:
        Boolean [K]. A joint whose place or score is no finite number was not
        found.
    """
    places = np.isfinite(np.asarray(keypoints_xy, np.float64)).all(-1)
    scores = np.asarray(scores, np.float64)
    # As float32, in which scores are: 0.1 reaches a threshold of 0.1.
    reached = scores >= np.float64(np.float32(score_threshold))
    return places & np.isfinite(scores) & reached


def checked_threshold(value: object, where: object) -> float:
    """Returns a threshold as a number.

    Args:
        value: Value of a flag or in a file.
        where: Named in the message of an error.

    Raises:
        UserError: If it is no number from 0 to 1.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or math.isnan(value) or not 0 <= value <= 1:
        raise UserError(
            "wrong score of joints", where, "a number from 0 to 1", value
        )
    return float(value)

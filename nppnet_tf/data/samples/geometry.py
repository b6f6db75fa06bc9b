"""One affine matrix per sample; warps of image, label map and keypoints.

Coordinates are pixel centers: (0, 0) is the center of the top left pixel, and
a matrix maps (x, y, 1) of the source picture to the network's input.

Fitting is symmetric: a mirrored picture or label map, fitted by a
plain `affine_matrix`, is the mirror image of the fitted one, bit by bit, along
both axes.
"""

import math

import numpy as np
from PIL import Image

from nppnet_tf.pictures import pixels

# The mirror images of a picture, and how to count an array to see each.
_MIRROR_IMAGES = (
    (None, np.s_[:, :]),
    (Image.Transpose.FLIP_LEFT_RIGHT, np.s_[:, ::-1]),
    (Image.Transpose.FLIP_TOP_BOTTOM, np.s_[::-1]),
    (Image.Transpose.ROTATE_180, np.s_[::-1, ::-1]),
)


def fit_scale(
    source_size: tuple[int, int], target_size: tuple[int, int]
) -> float:
    """Scale at which the whole source just fits into the target."""
    return min(target_size[0] / source_size[0], target_size[1] / source_size[1])


def affine_matrix(
    source_size: tuple[int, int],
    target_size: tuple[int, int],
    scale: float = 1.0,
    rotation_degrees: float = 0.0,
    shift_xy: tuple[float, float] = (0.0, 0.0),
    is_mirrored: bool = False,
) -> np.ndarray:
    """Maps a source picture into the input by one similarity.

    With nothing but the sizes, the letterbox of validation and inference:
    fitted, centered, upright.

    The center of the source lands `shift_xy` beside the center of the target;
    around it the source is scaled and turned; last, the target is mirrored.

    Args:
        source_size: (height, width) of the picture.
        target_size: (height, width) of the network's input.
        scale: Relative to the fit of the whole source into the target.
        rotation_degrees: Counter-clockwise as seen, y pointing down.
        shift_xy: Target pixels, before mirroring.
        is_mirrored: Whether left and right of the target change places.

    Returns:
        Float64 [3, 3], source to target.
    """
    factor = scale * fit_scale(source_size, target_size)
    angle = math.radians(rotation_degrees)
    cosine, sine = factor * math.cos(angle), factor * math.sin(angle)
    source_x, source_y = _center_xy(source_size)
    target_x, target_y = _center_xy(target_size)
    x = target_x + shift_xy[0] - cosine * source_x - sine * source_y
    y = target_y + shift_xy[1] + sine * source_x - cosine * source_y
    matrix = np.array([[cosine, sine, x], [-sine, cosine, y], [0.0, 0.0, 1.0]])
    if is_mirrored:
        matrix[0] = [-cosine, -sine, target_size[1] - 1 - x]
    return matrix


def transform_points(matrix: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Maps points by a matrix.

    Args:
        matrix: Float [3, 3].
        points_xy: Float [..., 2].

    Returns:
        Float64 [..., 2].
    """
    return points_xy @ matrix[:2, :2].T + matrix[:2, 2]


def warp_image(
    image: Image.Image | np.ndarray,
    matrix: np.ndarray,
    target_size: tuple[int, int],
) -> np.ndarray:
    """Resamples a picture, bilinear; gray where the source does not reach.

    A picture of at least twice the target's size is first averaged over blocks
    of as many pixels as the matrix makes one of, as inference does
    (`inference.network_input`): read at few places it would be its noise.
    Smaller ones are read as they are, whatever the matrix makes of them.

    Args:
        image: RGB picture, or uint8 [H, W, 3].
        matrix: Float [3, 3], source to target.
        target_size: (height, width) of the result.

    Returns:
        Uint8 [height, width, 3].
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    return _warp(
        image,
        matrix,
        target_size,
        Image.Resampling.BILINEAR,
        (pixels.FILL,) * 3,
        _block((image.height, image.width), matrix, target_size),
    )


def warp_label_map(
    label_map: np.ndarray,
    matrix: np.ndarray,
    target_size: tuple[int, int],
    fill: int,
) -> np.ndarray:
    """Resamples a label map; every result is a label of the source or `fill`.

    Args:
        label_map: Uint8 [H, W].
        matrix: Float [3, 3], source to target.
        target_size: (height, width) of the result.
        fill: Label where the source does not reach.

    Returns:
        Uint8 [height, width].
    """
    return _warp(
        Image.fromarray(label_map),
        matrix,
        target_size,
        Image.Resampling.NEAREST,
        fill,
    )


def _block(
    source_size: tuple[int, int],
    matrix: np.ndarray,
    target_size: tuple[int, int],
) -> int:
    """Returns the side of the blocks that are averaged, 1 for none."""
    # A hair more, so that exactly 2 is not read as 1.999.
    if 1 / fit_scale(source_size, target_size) + 1e-4 < 2:
        return 1
    factor = math.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    return max(1, int(1 / factor + 1e-4))


def _warp(
    image: Image.Image,
    matrix: np.ndarray,
    target_size: tuple[int, int],
    resampling: Image.Resampling,
    fill: int | tuple[int, int, int],
    block: int = 1,
) -> np.ndarray:
    if matrix[0, 1] == matrix[1, 0] == 0:
        sizes = ((image.height, image.width), target_size)
        for step in (1, -1):
            fit = affine_matrix(*sizes, is_mirrored=step < 0)
            if np.array_equal(matrix, fit):
                fitted = _fit(image, target_size, resampling, fill, block)
                return fitted[:, ::step]
    return _transform(image, matrix, target_size, resampling, fill, block)


def _fit(
    image: Image.Image,
    target_size: tuple[int, int],
    resampling: Image.Resampling,
    fill: int | tuple[int, int, int],
    block: int,
) -> np.ndarray:
    """Fits a picture quarter by quarter.

    Which of two pixels a place between them belongs to, and how levels round,
    depends on the end that is counted from. So every quarter is the upper left
    one, of the picture or of a mirror image of it.
    """
    height, width = target_size
    matrix = affine_matrix((image.height, image.width), target_size)
    quarter = ((height + 1) // 2, (width + 1) // 2)
    result = np.empty((height, width, len(image.getbands())), np.uint8)
    for flip, mirrored in _MIRROR_IMAGES:
        source = image if flip is None else image.transpose(flip)
        part = _transform(source, matrix, quarter, resampling, fill, block)
        part = part.reshape(*quarter, -1)
        result[mirrored][: quarter[0], : quarter[1]] = part
    return result if result.shape[-1] > 1 else result[..., 0]


def _transform(
    image: Image.Image,
    matrix: np.ndarray,
    target_size: tuple[int, int],
    resampling: Image.Resampling,
    fill: int | tuple[int, int, int],
    block: int,
) -> np.ndarray:
    # PIL instead of ImageProjectiveTransformV3: 1.2 against 5.9 ms for a
    # picture of LIP at 384 x 384 on one core, 0.2 against 1.4 ms for labels.
    inverse = np.linalg.inv(matrix)[:2]
    # PIL counts from the corner of a pixel, half a pixel from its center.
    inverse[:, 2] += 0.5 - inverse[:, :2].sum(axis=1) * 0.5
    if block > 1:
        before = np.array(image.size)
        # As many blocks as inference makes, each of nearly `block` pixels.
        image = image.resize(-(-before // block), Image.Resampling.BOX)
        inverse *= (np.array(image.size) / before)[:, None]
    height, width = target_size
    warped = image.transform(
        (width, height),
        Image.Transform.AFFINE,
        tuple(inverse.ravel()),
        resampling,
        fillcolor=fill,
    )
    return np.asarray(warped)


def _center_xy(size: tuple[int, int]) -> tuple[float, float]:
    height, width = size
    return (width - 1) / 2, (height - 1) / 2

"""Picture in, label map and keypoints out: the one graph that answers.

The Python predictor runs it and the SavedModel is made of it, so the two are
equal by construction.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf import resampling
from nppnet_tf.config import OUTPUT_STRIDE
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.samples import heatmap_codec
from nppnet_tf.inference import encoded_pictures
from nppnet_tf.inference import encoded_structure
from nppnet_tf.inference.test_time import AveragedNetwork
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure as rule
from nppnet_tf.pictures import pixels

# Signatures of a SavedModel; `ServingGraph.signatures` says what they run.
BYTES_SIGNATURE = "serving_default"
PNG_SIGNATURE = "predict_png"
TENSOR_SIGNATURE = "predict_tensor"
NETWORK_SIGNATURE = "network"

# Their inputs and outputs.
IMAGE_BYTES = "image_bytes"
IMAGE = "image"
LABEL_MAP = "label_map"
LABEL_MAP_BYTES = "label_map_bytes"
KEYPOINTS_XY = "keypoints_xy"
KEYPOINT_SCORES = "keypoint_scores"
IMAGE_SIZE = "image_size"
STATUS = "status"
# Of no signature: for putting people of one picture together.
CONFIDENCE = "confidence"

# Pictures of a request of the bytes signatures.
MAX_PICTURES = 64

# Of all pictures of a request together, and of its label maps where they are
# padded to one size: as many as four pictures of the largest size have. Making
# one array of them takes twice as many bytes.
MAX_REQUEST_PIXELS = 4 * picture_files.MAX_PIXELS

# What a client must know of the bounds; see docs/pictures.md.
LIMITS = {
    "pictures": MAX_PICTURES,
    "request_pixels": MAX_REQUEST_PIXELS,
    "pixels": rule.MAX_PIXELS,
    "side": rule.MAX_SIDE,
    "bytes": rule.MAX_BYTES,
    "parts": rule.MAX_PARTS,
    "scans": rule.MAX_SCANS,
}

# Pictures that the network sees at once.
_PORTION = 8

# Class scores that are held at once: 20 MB of each of the few tensors that a
# band needs.
_BAND_SCORES = 5 << 20

# Side of the largest block of pixels whose levels add up exactly.
_EXACT_FACTOR = 256

# Standard deviation of the filter that heatmaps pass before their peak is
# sought, relative to the longer side of the input: the release's 3 of 384.
_SMOOTHING = 3 / 384

Size = tuple[int, int]


def letterbox_scale(image_size: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Returns by how much a picture is enlarged to fit the input.

    Args:
        image_size: Int32 (height, width) of the picture.
        input_size: (height, width) of the network's input.
    """
    ratios = tf.constant(input_size, tf.float32) / tf.cast(
        image_size, tf.float32
    )
    return tf.reduce_min(ratios)


def preprocess(image: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Fits pictures of one size into the network's input and normalizes them.

    The picture is scaled by min(W / w, H / h) about its center, read
    bilinearly, with gray 128 around it: what `data.samples.geometry` does in
    training and validation. A picture of at least twice the input's size is
    first averaged over whole blocks of pixels, since reading it at few places
    would see its noise (departs from the release, which has no such pictures).

    A mirrored picture gives the mirrored input, to the last bit, at every size
    and along both axes (where a picture that is averaged has whole levels).

    Args:
        image: Uint8 or float32 [..., h, w, 3], RGB of 0 to 255; at most one
            leading axis.
        input_size: (H, W).

    Returns:
        Float32 [..., H, W, 3], ImageNet-normalized.
    """
    image_size = tf.shape(image)[-3:-1]
    scale = letterbox_scale(image_size, input_size)
    positions = [
        _picture_positions(input_size[axis], image_size[axis], scale)
        for axis in (0, 1)
    ]
    inside = [
        # A pixel reaches half a pixel beyond its center; on the border of the
        # picture, its own pixel is read, at both ends.
        resampling.mirrored_half(position)[0] >= -0.5
        for position in positions
    ]
    image, positions = _average_blocks(image, positions, image_size, scale)
    rows, columns = (
        resampling.places(tf.boolean_mask(position, is_inside), side)
        for position, is_inside, side in zip(
            positions, inside, tf.unstack(tf.shape(image)[-3:-1]), strict=True
        )
    )
    sampled = resampling.sample(image, rows, columns)
    return _normalized(_with_borders(sampled, input_size))


def _with_borders(image: tf.Tensor, input_size: Size) -> tf.Tensor:
    """Lays gray about pictures [..., h, w, 3], alike on opposite sides."""
    borders = [
        [(input_side - side) // 2] * 2
        for input_side, side in zip(
            input_size, tf.unstack(tf.shape(image)[-3:-1]), strict=True
        )
    ]
    outer = [[0, 0]] * (image.shape.rank - 3)
    padded = tf.pad(
        image, [*outer, *borders, [0, 0]], constant_values=float(pixels.FILL)
    )
    return tf.ensure_shape(
        padded, [*image.shape[:-3].as_list(), *input_size, 3]
    )


def _normalized(image: tf.Tensor) -> tf.Tensor:
    """Normalizes levels of 0 to 255; whole rows at once, which is faster."""
    shape = tf.shape(image)
    rows = tf.reshape(image, [*tf.unstack(shape[:-2]), -1])
    gain, offset = (
        np.tile(values, image.shape[-2])
        for values in (pixels.GAIN, pixels.OFFSET)
    )
    return tf.reshape(rows * gain - offset, shape)


def label_map_at(
    parsing_logits: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Returns the most likely class of every pixel of a picture.

    Logits are brought to the input's size (bilinear, corners aligned, as in
    the loss), then read at the picture's own pixels; the class is chosen last,
    so that outlines are as sharp as the picture. Works in bands of rows: the
    scores of a large picture would fill gigabytes.

    Args:
        parsing_logits: Float32 [H / 4, W / 4, classes].
        image_size: Int32 (h, w), at least 1.
        input_size: (H, W).

    Returns:
        Uint8 [h, w].
    """
    return _read_in_bands(
        parsing_logits,
        image_size,
        input_size,
        lambda scores: tf.cast(tf.argmax(scores, -1, tf.int32), tf.uint8),
        tf.uint8,
    )


def confidence_at(
    parsing_logits: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Returns the probability of the class that `label_map_at` chooses.

    Args:
        parsing_logits: Float32 [H / 4, W / 4, classes].
        image_size: Int32 (h, w), at least 1.
        input_size: (H, W).

    Returns:
        Float32 [h, w], 0 to 1.
    """
    return _read_in_bands(
        parsing_logits,
        image_size,
        input_size,
        lambda scores: tf.reduce_max(tf.nn.softmax(scores), -1),
        tf.float32,
    )


def keypoints_at(
    keypoints_xy: tf.Tensor, image_size: tf.Tensor, input_size: Size
) -> tf.Tensor:
    """Takes keypoints from input pixels to pixels of the picture.

    Args:
        keypoints_xy: Float32 [..., K, 2], input pixels.
        image_size: Int32 (h, w) of the picture, at least 1.
        input_size: (H, W).

    Returns:
        Float32 [..., K, 2]; what lies in the gray around the picture is moved
        to its border.
    """
    scale = letterbox_scale(image_size, input_size)
    last_xy = tf.cast(image_size[::-1] - 1, tf.float32)
    last_input_xy = tf.constant([input_size[1] - 1, input_size[0] - 1.0])
    offsets_xy = (keypoints_xy - last_input_xy / 2) / scale
    xy = heatmap_codec.beside(last_xy / 2, offsets_xy)
    return tf.clip_by_value(xy, 0.0, last_xy)


def within_request(sizes: tf.Tensor, statuses: tf.Tensor) -> tf.Tensor:
    """Leaves out pictures that are too much for one request.

    The smallest are taken first, so that a large one costs itself.

    Args:
        sizes: Int32 [B, 2], (height, width), of any number where the status is
            not `READ`.
        statuses: Int32 [B].

    Returns:
        The statuses, with `DOES_NOT_FIT` for those left out. The others have
        at most `MAX_REQUEST_PIXELS` together.
    """
    pixels = tf.reduce_prod(tf.cast(sizes, tf.int64), 1)
    pixels = tf.where(tf.equal(statuses, rule.READ), pixels, 0)
    order = tf.argsort(pixels, stable=True)
    fits = tf.cumsum(tf.gather(pixels, order)) <= MAX_REQUEST_PIXELS
    fits = tf.gather(fits, tf.argsort(order))
    return tf.where(fits | (pixels < 1), statuses, rule.DOES_NOT_FIT)


def fit_together(
    sizes: tf.Tensor, statuses: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Leaves out pictures whose label maps do not fit into one array.

    Every label map is padded to the largest height and the largest width: a
    strip that lies and one that stands make a square. Pictures are taken in
    the order of their longer sides, so that an odd one costs itself.

    Args:
        sizes: Int32 [B, 2], (height, width), (0, 0) of what was not read.
        statuses: Int32 [B].

    Returns:
        Both, with `DOES_NOT_FIT` and (0, 0) for those left out. The padded
        array has at most `MAX_REQUEST_PIXELS`.
    """
    limit = MAX_REQUEST_PIXELS // tf.cast(tf.size(statuses), tf.int64)
    order = tf.argsort(tf.reduce_max(sizes, 1), stable=True)

    def take(
        state: tuple[tf.Tensor, tf.Tensor], size: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        larger = tf.maximum(state[0], size)
        fits = tf.reduce_prod(tf.cast(larger, tf.int64)) <= limit
        return tf.where(fits, larger, state[0]), fits

    _, fits = tf.scan(
        take,
        tf.gather(sizes, order),
        (tf.zeros([2], tf.int32), tf.constant(True)),
    )
    fits = tf.gather(fits, tf.argsort(order))
    return (
        tf.where(fits[:, tf.newaxis], sizes, 0),
        tf.where(fits, statuses, rule.DOES_NOT_FIT),
    )


class ServingGraph(tf.Module):
    """A network with everything between pictures and answers.

    Args:
        network: A function from float32 [B, H, W, 3], normalized, to the
            heatmaps [B, H/4, W/4, K] and parsing logits [B, H/4, W/4, classes]
            of one stage: `form.answering`.
        variables: Variables of the network, to be saved with the graph.
        descriptor: Names and mirror partners of its outputs.
        input_size: (H, W) that the network was trained at.
        flip: Whether mirrored inputs are averaged in.
        scales: Factors of the inputs that are averaged.
        max_pixels: Larger pictures are refused.
    """

    def __init__(
        self,
        network: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
        variables: Sequence[tf.Variable],
        descriptor: DatasetDescriptor,
        input_size: Size,
        flip: bool = False,
        scales: Sequence[float] = (1.0,),
        max_pixels: int = picture_files.MAX_PIXELS,
    ) -> None:
        super().__init__(name="serving_graph")
        self.input_size = tuple(input_size)
        self.max_pixels = max_pixels
        self._ignore_label = descriptor.ignore_label
        self._network_variables = list(variables)
        # Traced once and called by every signature, mirrored and at every
        # scale: the network is nearly all of the graph.
        self.network = tf.function(
            network,
            input_signature=[
                tf.TensorSpec([None, None, None, 3], tf.float32, name=IMAGE)
            ],
            # No Python branches on a tensor; converting it all takes seconds.
            autograph=False,
            experimental_attributes={"_noinline": True},
        )
        self._averaged_network = AveragedNetwork(
            self.network, descriptor, flip, scales
        )
        self.predict_tensor = tf.function(
            self._predict_tensor,
            input_signature=[
                tf.TensorSpec([None, None, None, 3], tf.float32, name=IMAGE)
            ],
            autograph=False,
        )
        byte_strings = [tf.TensorSpec([None], tf.string, name=IMAGE_BYTES)]
        # As the network: two signatures read alike.
        self.read = tf.function(
            self._read,
            input_signature=byte_strings,
            autograph=False,
            experimental_attributes={"_noinline": True},
        )
        self.predict_bytes = tf.function(
            self._predict_bytes,
            input_signature=byte_strings,
            autograph=False,
        )
        self.predict_png = tf.function(
            self._predict_png, input_signature=byte_strings, autograph=False
        )

    def picture_function(
        self, with_confidence: bool
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Makes a function like `predict_tensor`, of one picture of bytes.

        No attribute, since those are saved.

        Args:
            with_confidence: Whether it adds `CONFIDENCE`.

        Returns:
            A function of `image`, uint8 [1, h, w, 3].
        """
        function = self._predict_tensor
        if with_confidence:
            function = self._predict_confidence
        return tf.function(
            function,
            input_signature=[
                tf.TensorSpec([1, None, None, 3], tf.uint8, name=IMAGE)
            ],
            autograph=False,
        )

    def signatures(self) -> dict[str, Any]:
        """Returns what a SavedModel offers, by the names of the signatures."""
        return {
            BYTES_SIGNATURE: self.predict_bytes,
            PNG_SIGNATURE: self.predict_png,
            TENSOR_SIGNATURE: self.predict_tensor,
            NETWORK_SIGNATURE: self.network,
        }

    def _predict_tensor(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pictures of one size, [B, h, w, 3], RGB of 0 to 255."""
        prediction, sizes = self._predict_pictures(image)
        label_maps = self._map(self._label_map, prediction, sizes, tf.uint8)
        return {
            LABEL_MAP: tf.ensure_shape(label_maps, [None, None, None]),
            **self._described(prediction, sizes),
        }

    def _predict_confidence(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `predict_tensor`, with how sure the labels are."""
        prediction, sizes = self._predict_pictures(image)
        return {
            LABEL_MAP: self._map(self._label_map, prediction, sizes, tf.uint8),
            CONFIDENCE: self._map(
                self._confidence, prediction, sizes, tf.float32
            ),
            **self._described(prediction, sizes),
        }

    def _predict_bytes(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Encoded pictures [B] of any sizes; label maps padded to one."""
        inputs, sizes, statuses = self.read(image_bytes)
        sizes, statuses = fit_together(sizes, statuses)
        prediction = self._predict_in_portions(inputs)
        padded_size = tf.reduce_max(sizes, axis=0)

        def padded(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
            # What could not be read has size (0, 0), so no pixels.
            label_map = self._label_map(logits, tf.maximum(size, 1))
            return tf.pad(
                label_map[: size[0], : size[1]],
                [[0, padded_size[0] - size[0]], [0, padded_size[1] - size[1]]],
                constant_values=self._ignore_label,
            )

        return {
            LABEL_MAP: self._map(padded, prediction, sizes, tf.uint8),
            **self._described(prediction, sizes),
            STATUS: statuses,
        }

    def _predict_png(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `predict_bytes`; each label map a PNG file of its own size."""
        inputs, sizes, statuses = self.read(image_bytes)
        prediction = self._predict_in_portions(inputs)

        def encoded(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
            label_map = self._label_map(logits, tf.maximum(size, 1))
            return tf.where(
                tf.reduce_all(size > 0),
                tf.io.encode_png(label_map[..., tf.newaxis]),
                "",
            )

        return {
            LABEL_MAP_BYTES: self._map(encoded, prediction, sizes, tf.string),
            **self._described(prediction, sizes),
            STATUS: statuses,
        }

    def _predict_pictures(
        self, image: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Prediction of pictures of one size, and their sizes [B, 2].

        More pixels than the limit are refused, when run.
        """
        batch, height, width = tf.unstack(tf.shape(image)[:3])
        check = tf.debugging.assert_less_equal(
            tf.cast(height, tf.int64) * tf.cast(width, tf.int64),
            tf.constant(self.max_pixels, tf.int64),
            "image has more pixels than the limit",
        )
        with tf.control_dependencies([check] if check is not None else []):
            inputs = preprocess(_of_a_request(image), self.input_size)
        sizes = tf.tile([[height, width]], [batch, 1])
        return self._averaged_network(inputs), sizes

    def _label_map(self, logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return label_map_at(logits, size, self.input_size)

    def _confidence(self, logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return confidence_at(logits, size, self.input_size)

    def _map(
        self,
        encode: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        prediction: Mapping[str, tf.Tensor],
        sizes: tf.Tensor,
        dtype: tf.DType,
    ) -> tf.Tensor:
        """Encodes what parsing says of every picture, one after the other.

        Args:
            encode: A function of logits [H / 4, W / 4, classes] and the size
                of the picture, to a map [h, w] or a scalar string.
            prediction: What the network answers.
            sizes: Int32 [B, 2], (height, width).
            dtype: Type of what `encode` returns.

        Returns:
            [B, h, w], or strings [B].
        """
        shape = [] if dtype == tf.string else [None, None]
        return tf.map_fn(
            lambda values: encode(*values),
            (prediction[keys.PARSING_LOGITS], sizes),
            fn_output_signature=tf.TensorSpec(shape, dtype),
            parallel_iterations=1,
        )

    def _described(
        self, prediction: Mapping[str, tf.Tensor], sizes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """What every signature says of pictures besides their label maps."""
        return {
            **self._keypoints(prediction[keys.HEATMAPS], sizes),
            IMAGE_SIZE: sizes,
        }

    def _read(
        self, image_bytes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns network inputs, sizes and statuses of encoded pictures."""

        def prepare(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return preprocess(image, self.input_size), tf.shape(image)[:2]

        nothing = (
            tf.zeros([*self.input_size, 3]),
            tf.zeros([2], tf.int32),
        )
        image_bytes = _of_a_request(image_bytes)
        # What is too much for a request is not decoded first.
        structures = encoded_structure.read_each(image_bytes, self.max_pixels)
        structures = structures._replace(
            status=within_request(structures.size, structures.status)
        )
        statuses, (inputs, sizes) = encoded_pictures.read_each(
            image_bytes, structures, prepare, nothing
        )
        return inputs, sizes, statuses

    def _predict_in_portions(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Runs the network on a few pictures at a time; 64 fill gigabytes."""
        count = tf.shape(inputs)[0]
        shapes = {}

        def step(
            start: tf.Tensor, *arrays: tf.TensorArray
        ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
            prediction = self._averaged_network(
                inputs[start : start + _PORTION]
            )
            shapes.update({key: prediction[key].shape for key in outputs})
            written = [
                array.write(start // _PORTION, prediction[key])
                for key, array in zip(outputs, arrays, strict=True)
            ]
            return start + _PORTION, *written

        outputs = (keys.HEATMAPS, keys.PARSING_LOGITS)
        _, *arrays = tf.while_loop(
            lambda start, *_: start < count,
            step,
            (tf.constant(0), *(_portions() for _ in outputs)),
            parallel_iterations=1,
        )
        return {
            key: tf.ensure_shape(array.concat(), shapes[key])
            for key, array in zip(outputs, arrays, strict=True)
        }

    def _keypoints(
        self, heatmaps: tf.Tensor, sizes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Keypoints and scores; zeros for a picture that could not be read."""
        smoothing = _SMOOTHING * max(self.input_size)
        input_xy, _ = heatmap_codec.decode_heatmaps(
            heatmaps, OUTPUT_STRIDE, smoothing
        )
        # Of the maps as they are: smoothing lowers every peak.
        scores = tf.reduce_max(heatmaps, axis=[1, 2])
        keypoints_xy = tf.map_fn(
            lambda values: keypoints_at(
                values[0], tf.maximum(values[1], 1), self.input_size
            ),
            (input_xy, sizes),
            fn_output_signature=tf.TensorSpec([None, 2], tf.float32),
        )
        was_read = tf.reduce_all(sizes > 0, axis=1)
        return {
            KEYPOINTS_XY: tf.where(
                was_read[:, tf.newaxis, tf.newaxis], keypoints_xy, 0.0
            ),
            KEYPOINT_SCORES: tf.where(was_read[:, tf.newaxis], scores, 0.0),
        }


def _portions() -> tf.TensorArray:
    return tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)


def _of_a_request(pictures_of_request: tf.Tensor) -> tf.Tensor:
    """Passes on up to `MAX_PICTURES` pictures, and refuses more, or none."""
    count = tf.shape(pictures_of_request)[0]
    check = tf.debugging.Assert(
        (count >= 1) & (count <= MAX_PICTURES),
        [f"a request holds 1 to {MAX_PICTURES} pictures, this one", count],
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(pictures_of_request)


def _read_in_bands(
    parsing_logits: tf.Tensor,
    image_size: tf.Tensor,
    input_size: Size,
    read: Callable[[tf.Tensor], tf.Tensor],
    dtype: tf.DType,
) -> tf.Tensor:
    """Makes one number of the class scores of every pixel of a picture."""
    logits = resampling.resize_aligned_corners(parsing_logits, *input_size)
    logits = resampling.with_middles(logits)
    scale = letterbox_scale(image_size, input_size)
    height, width = image_size[0], image_size[1]
    rows, columns = (
        resampling.places(
            _input_positions(image_size[axis], input_size[axis], scale),
            input_size[axis],
            has_middle=True,
        )
        for axis in (0, 1)
    )
    # Rows are read first, and are as wide as the input then.
    row_scores = tf.maximum(width, input_size[1]) * tf.shape(logits)[-1]
    band_rows = tf.clip_by_value(_BAND_SCORES // row_scores, 1, height)

    def band(start: tf.Tensor) -> tf.Tensor:
        numbers = tf.minimum(start + tf.range(band_rows), height - 1)
        return read(resampling.sample(logits, rows.at(numbers), columns))

    bands = tf.map_fn(
        band,
        tf.range(0, height, band_rows),
        fn_output_signature=tf.TensorSpec([None, None], dtype),
        parallel_iterations=1,
    )
    return tf.reshape(bands, [-1, width])[:height]


def _picture_positions(
    input_side: int, side: tf.Tensor, scale: tf.Tensor
) -> tf.Tensor:
    """Where the pixels of the input lie in the picture, along one axis."""
    offsets = tf.range(input_side, dtype=tf.float32) - (input_side - 1) / 2
    return offsets / scale + tf.cast(side - 1, tf.float32) / 2


def _input_positions(
    side: tf.Tensor, input_side: int, scale: tf.Tensor
) -> tf.Tensor:
    """Where the pixels of the picture lie in the input, along one axis."""
    offsets = tf.cast(tf.range(side), tf.float32)
    offsets -= tf.cast(side - 1, tf.float32) / 2
    return offsets * scale + (input_side - 1) / 2


def _average_blocks(
    image: tf.Tensor,
    positions: list[tf.Tensor],
    image_size: tf.Tensor,
    scale: tf.Tensor,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Shrinks a large picture by averaging; moves the positions with it."""
    # A hair more than 1 / scale, so that exactly 2 is not read as 1.999.
    factor = tf.cast(tf.floor(1.0 / scale + 1e-4), tf.int32)
    factor = tf.maximum(factor, 1)
    reduced_size = (image_size + factor - 1) // factor

    def averaged(batch: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.ResizeArea(images=batch, size=size)

    def both_ways(batch: tf.Tensor) -> tf.Tensor:
        """Where blocks hold parts of pixels, sums round by their order."""
        for axis, size in (
            # Columns first: what one sum reads lies side by side.
            (2, tf.stack([image_size[0], reduced_size[1]])),
            (1, reduced_size),
        ):
            batch = _of_mirror_images(
                lambda each, size=size: averaged(each, size), batch, axis
            )
        return batch

    def reduced() -> tf.Tensor:
        batch = image if image.shape.rank == 4 else image[tf.newaxis]
        is_whole = tf.reduce_all(tf.equal(image_size % factor, 0))
        # Of whole levels, float32 adds up to 2^24 exactly.
        is_whole &= factor <= _EXACT_FACTOR
        shrunk = tf.cond(
            is_whole,
            lambda: averaged(batch, reduced_size),
            lambda: both_ways(batch),
        )
        return shrunk if image.shape.rank == 4 else shrunk[0]

    result = tf.cond(factor > 1, reduced, lambda: tf.cast(image, tf.float32))
    result.set_shape([*image.shape[:-3], None, None, 3])
    ratios = tf.cast(reduced_size, tf.float32) / tf.cast(image_size, tf.float32)
    moved = [(positions[axis] + 0.5) * ratios[axis] - 0.5 for axis in (0, 1)]
    return result, moved


def _of_mirror_images(
    function: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor, axis: int
) -> tf.Tensor:
    """Mean of a function of images and of their mirror images, mirrored back.

    Of mirrored images it is the mirror image, whatever the function rounds.
    """
    mirrored = tf.reverse(function(tf.reverse(images, [axis])), [axis])
    return (function(images) + mirrored) * 0.5

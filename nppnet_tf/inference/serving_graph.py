"""Picture in, label map and keypoints out: the one graph that answers.

The Python predictor runs it and the SavedModel is made of it, so the two are
equal by construction. Bytes are read by `encoded_pictures`, fitted by
`network_input`, and the network's answer is read by `network_output`; which
pictures are too much for a request says `request_limits`. Here they become the
signatures.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.inference import encoded_pictures
from nppnet_tf.inference import encoded_structure
from nppnet_tf.inference import network_input
from nppnet_tf.inference import network_output
from nppnet_tf.inference import request_limits
from nppnet_tf.inference.network_input import Size
from nppnet_tf.inference.test_time import AveragedNetwork
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure as rule

# What a client's cubic resizing may leave beyond 0 and 255.
_OVERSHOOT = 64.0

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

# Pictures that the network sees at once.
_PORTION = 8


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
        statuses = _statuses_of(image)
        was_read = tf.equal(statuses, rule.READ)
        prediction, sizes = self._predict_pictures(image, was_read)
        image_size = tf.shape(image)[1:3]

        def of_pixels(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
            label_map = self._label_map(logits, image_size)
            nothing = tf.constant(self._ignore_label, tf.uint8)
            return tf.where(size[0] > 0, label_map, nothing)

        label_maps = self._map(of_pixels, prediction, sizes, tf.uint8)
        return {
            LABEL_MAP: tf.ensure_shape(label_maps, [None, None, None]),
            **self._described(prediction, sizes),
            STATUS: statuses,
        }

    def _predict_confidence(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `predict_tensor`, with how sure the labels are."""
        was_read = tf.ones(tf.shape(image)[:1], tf.bool)
        prediction, sizes = self._predict_pictures(image, was_read)
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
        sizes, statuses = request_limits.fit_together(sizes, statuses)
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
        self, image: tf.Tensor, was_read: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Prediction of pictures of one size, and their sizes [B, 2].

        No pixels, and more than the limit, are refused, when run. What was
        not read, bool [B], is predicted as gray and has size (0, 0).
        """
        batch, height, width = tf.unstack(tf.shape(image)[:3])
        pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
        checks = [
            tf.debugging.assert_less_equal(
                pixels,
                tf.constant(self.max_pixels, tf.int64),
                "image has more pixels than the limit",
            ),
            tf.debugging.assert_positive(pixels, "image has no pixels"),
        ]
        # Outside of a graph they are done, and nothing.
        with tf.control_dependencies(list(filter(None, checks))):
            inputs = network_input.preprocess(
                request_limits.few(image), self.input_size
            )
        was_read = was_read[:, tf.newaxis]
        inputs = tf.where(was_read[:, tf.newaxis, tf.newaxis], inputs, 0.0)
        sizes = tf.tile([[height, width]], [batch, 1])
        sizes = tf.where(was_read, sizes, 0)
        return self._averaged_network(inputs), sizes

    def _label_map(self, logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return network_output.label_map_at(logits, size, self.input_size)

    def _confidence(self, logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        return network_output.confidence_at(logits, size, self.input_size)

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
        keypoints_xy, scores = network_output.keypoints_of(
            prediction[keys.HEATMAPS], sizes, self.input_size
        )
        return {
            KEYPOINTS_XY: keypoints_xy,
            KEYPOINT_SCORES: scores,
            IMAGE_SIZE: sizes,
        }

    def _read(
        self, image_bytes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns network inputs, sizes and statuses of encoded pictures."""

        def prepare(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            fitted = network_input.preprocess(image, self.input_size)
            return fitted, tf.shape(image)[:2]

        nothing = (
            tf.zeros([*self.input_size, 3]),
            tf.zeros([2], tf.int32),
        )
        image_bytes = request_limits.few(image_bytes)
        # What is too much for a request is not decoded first.
        structures = encoded_structure.read_each(image_bytes, self.max_pixels)
        structures = structures._replace(
            status=request_limits.within_request(
                structures.size, structures.status
            )
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


def _statuses_of(image: tf.Tensor) -> tf.Tensor:
    """Statuses [B] of pixels; bytes can be no others than those of pictures."""
    if image.dtype == tf.uint8:
        return tf.fill(tf.shape(image)[:1], rule.READ)
    # False of what is no number, too.
    is_pixel = tf.abs(image - 127.5) <= 127.5 + _OVERSHOOT
    are_pixels = tf.reduce_all(is_pixel, axis=[1, 2, 3])
    return tf.where(are_pixels, rule.READ, rule.OUT_OF_RANGE)


def _portions() -> tf.TensorArray:
    return tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)

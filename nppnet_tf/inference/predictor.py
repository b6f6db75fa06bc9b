"""Pictures in, label maps and keypoints out, in the pictures' own pixels."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import nppnet_tf
from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import plain_path
from nppnet_tf.form import answering
from nppnet_tf.inference import model_description
from nppnet_tf.inference import model_folders
from nppnet_tf.inference import request_limits
from nppnet_tf.inference import runtime_models
from nppnet_tf.inference import serving_graph
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.inference.serving_graph import ServingGraph
from nppnet_tf.models import saved_network
from nppnet_tf.pictures import picture_files
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes.packages import Package

# Facts that a run keeps beside its network.
DESCRIPTOR = "descriptor"  # name of a built-in one, or all of it
IMAGE_SIZE = "image_size"

# The signature takes floats, four bytes each: not of larger pictures.
_MAX_FLOATS = 3 << 24

# Neither mirrored nor resized inputs.
_PLAIN = (False, (1.0,))

_SAVED_MODEL_FILE = "saved_model.pb"
_NETWORK_FILE = saved_network.DESCRIPTION_FILE
_MODEL_FILES = (_SAVED_MODEL_FILE, _NETWORK_FILE)

TensorFunction = Callable[..., Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What the network sees in one picture. H x W pixels, K keypoints.

    Attributes:
        label_map: Uint8 [H, W], a class for every pixel of the picture.
        keypoints_xy: Float32 [K, 2], pixels of the picture; (0, 0) is the
            center of its top left pixel.
        scores: Float32 [K], height of the heatmap's peak, 0 to about 1.
        confidence: Float32 [H, W], probability of the class of every pixel;
            None where nobody asked for it.
    """

    label_map: np.ndarray
    keypoints_xy: np.ndarray
    scores: np.ndarray
    confidence: np.ndarray | None = None


class Predictor:
    """Runs a network on pictures of any size.

    Args:
        predict_tensor: Called with `image`, float32 [B, h, w, 3]; returns the
            outputs of the signature of that name.
        description: Names and sizes.
        make_graph: Makes the graph that the function is of, for what the
            signature does not offer; called when that is first needed.

    Example:
        predictor = Predictor.from_directory("savedmodels/nppnet")
        prediction = predictor.predict_file("person.jpg")
    """

    def __init__(
        self,
        predict_tensor: TensorFunction,
        description: ModelDescription,
        make_graph: Callable[[], ServingGraph],
    ) -> None:
        self.description = description
        self._predict_tensor = predict_tensor
        self._make_graph = functools.cache(make_graph)
        self._make_function = functools.cache(self._function)

    @property
    def descriptor(self) -> DatasetDescriptor:
        """Names of classes and keypoints, colors, skeleton."""
        return self.description.descriptor

    @classmethod
    def from_network(
        cls,
        network: Any,
        descriptor: DatasetDescriptor,
        image_size: tuple[int, int],
        flip: bool = False,
        scales: Sequence[float] = (1.0,),
        name: str = "network",
    ) -> "Predictor":
        """Wraps a network in memory.

        Args:
            network: NPPNet, or a Keras model that is called alike.
            descriptor: Descriptor of the data that it was trained on.
            image_size: (height, width) of its input.
            flip: Whether to average over mirrored inputs.
            scales: Factors of the inputs to average over.
            name: Name of the model in records.
        """
        graph = graph_of(network, descriptor, image_size, flip, scales)
        description = describe(
            network, name, 0, descriptor, image_size, flip, scales
        )
        return cls(
            graph.predict_tensor.get_concrete_function(),
            description,
            lambda: graph,
        )

    @classmethod
    def from_directory(
        cls,
        path: str | os.PathLike[str],
        flip: bool = False,
        scales: Sequence[float] = (1.0,),
    ) -> "Predictor":
        """Loads a run, a SavedModel, or a model of another runtime.

        Args:
            path: Working directory of a run, version folder of a SavedModel,
                or the folder above with versions in it: the newest is taken;
                or a file of another runtime, or its folder.
            flip: Whether to average over mirrored inputs.
            scales: Factors of the inputs to average over. A model that was
                exported with averaging keeps its own where none is asked for.

        Raises:
            UserError: If there is no model that can be loaded.
        """
        package = packages.find(path)
        if package is not None:
            return cls._from_package(package, flip, tuple(scales))
        folder = find_model(path)
        if (folder / _SAVED_MODEL_FILE).exists():
            return cls._from_saved_model(folder, flip, tuple(scales))
        network, descriptor, image_size = load_run(folder)
        return cls.from_network(
            network, descriptor, image_size, flip, scales, str(folder.name)
        )

    @classmethod
    def _from_saved_model(
        cls, folder: pathlib.Path, flip: bool, scales: tuple[float, ...]
    ) -> "Predictor":
        description = ModelDescription.load(
            folder / model_description.FILE_NAME
        )
        model_description.require_files(folder, description)
        try:
            with plain_path.plain_path(folder) as plain:
                loaded = tf.saved_model.load(plain)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(
                "SavedModel cannot be loaded", folder, "a whole export", error
            ) from error
        _require_fit(loaded.signatures, description, folder)
        signature = loaded.signatures[serving_graph.TENSOR_SIGNATURE]
        asked = (flip, scales)
        exported = (description.flip, description.scales)
        if asked != exported and asked != _PLAIN:
            description = dataclasses.replace(
                description, flip=flip, scales=scales
            )
            graph = _graph_around(loaded, description)
            signature = graph.predict_tensor.get_concrete_function()

        # A signature does not keep alive what it was loaded with; the function
        # that makes the graph does.
        return cls(
            signature, description, lambda: _graph_around(loaded, description)
        )

    @classmethod
    def _from_package(
        cls, package: Package, flip: bool, scales: tuple[float, ...]
    ) -> "Predictor":
        answer, description = runtime_models.load(package)
        if (flip, scales) != _PLAIN:
            packages.require_one_scale(scales, package.runtime.name)
            description = dataclasses.replace(description, flip=flip)
        graph = _graph_of(answer, description)
        return cls(
            graph.predict_tensor.get_concrete_function(),
            description,
            lambda: graph,
        )

    def predict(self, pictures: Sequence[np.ndarray]) -> list[Prediction]:
        """Predicts pictures one by one.

        Not several at once, even where their sizes are equal: on a CPU the
        convolutions of a batch round otherwise, by 2e-7 in the scores, and an
        answer would depend on its neighbors.

        Args:
            pictures: Uint8 [H, W, 3] each, RGB, upright; sizes may differ.

        Returns:
            One prediction each, in the same order.

        Raises:
            ValueError: If an image has another form.
            UserError: If it has more pixels than `picture_files.MAX_PIXELS`.
        """
        return [self._predict_one(image) for image in pictures]

    def predict_file(self, path: str | os.PathLike[str]) -> Prediction:
        """Predicts a JPEG or PNG file, turned upright as its EXIF data says.

        Raises:
            UserError: If it cannot be read.
        """
        return self._predict_one(read_picture(path))

    def predict_confidence(self, picture: np.ndarray) -> Prediction:
        """Predicts a picture, and how sure every pixel's class is.

        Raises:
            ValueError: For the reasons that `predict` gives.
            UserError: For the reasons that `predict` gives.
        """
        return _predict(self._make_function(True), picture, tf.uint8)

    def _predict_one(self, image: np.ndarray) -> Prediction:
        if np.size(image) > _MAX_FLOATS:
            return _predict(self._make_function(False), image, tf.uint8)
        return _predict(self._predict_tensor, image, tf.float32)

    def _function(self, with_confidence: bool) -> TensorFunction:
        return self._make_graph().picture_function(with_confidence)


def _predict(
    function: TensorFunction, image: np.ndarray, dtype: tf.DType
) -> Prediction:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(
            "an image is RGB, [height, width, 3]. "
            f"Received: image.shape={image.shape}"
        )
    if image.dtype != np.uint8:
        raise ValueError(
            f"an image is uint8. Received: image.dtype={image.dtype}"
        )
    if image.shape[0] * image.shape[1] > picture_files.MAX_PIXELS:
        raise UserError(
            "picture is too large",
            expected=f"at most {picture_files.MAX_PIXELS} pixels",
            found=f"{image.shape[0]} x {image.shape[1]}",
        )
    # By the graph's cast: NumPy's would hold the pixels a third time.
    outputs = function(image=tf.cast(tf.constant(image[np.newaxis]), dtype))
    confidence = outputs.get(serving_graph.CONFIDENCE)
    return Prediction(
        label_map=outputs[serving_graph.LABEL_MAP][0].numpy(),
        keypoints_xy=outputs[serving_graph.KEYPOINTS_XY][0].numpy(),
        scores=outputs[serving_graph.KEYPOINT_SCORES][0].numpy(),
        confidence=None if confidence is None else confidence[0].numpy(),
    )


def _require_fit(
    signatures: Mapping[str, Any],
    description: ModelDescription,
    folder: pathlib.Path,
) -> None:
    """Refuses a graph that answers of other joints than are described."""
    signature = signatures.get(serving_graph.TENSOR_SIGNATURE)
    outputs = signature.structured_outputs if signature else {}
    name = serving_graph.KEYPOINTS_XY
    expected = description.descriptor.num_keypoints
    found = outputs[name].shape[1] if name in outputs else None
    if found != expected:
        raise UserError(
            "SavedModel does not fit its description",
            folder,
            f"a signature {serving_graph.TENSOR_SIGNATURE} of {expected} "
            "joints",
            f"{found} joints" if found else "none",
        )


def read_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a JPEG or PNG file to the pixels that the signatures see.

    Returns:
        Uint8 [H, W, 3], RGB, upright.

    Raises:
        UserError: If it is missing, broken, something else or too large.
    """
    return picture_files.decode(picture_files.read_bytes(path), path)


def find_model(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the folder of a run or of a SavedModel's newest version.

    Raises:
        UserError: If there is neither.
    """
    folder = pathlib.Path(path)
    if not folder.is_dir():
        raise UserError(
            "no model", path, "a run or a SavedModel", "no such folder"
        )
    found = _newest(folder)
    if found is None:
        inner = [each for each in sorted(folder.iterdir()) if _newest(each)]
        raise UserError(
            "no model",
            path,
            f"{_NETWORK_FILE} of a run, {_SAVED_MODEL_FILE}, or a folder of "
            "versions",
            f"neither; {inner[0]} is one" if inner else "neither",
        )
    return found


def _newest(folder: pathlib.Path) -> pathlib.Path | None:
    """A folder where it holds a model, or the newest version within it."""
    if any((folder / name).exists() for name in _MODEL_FILES):
        return folder
    versions = [
        child
        for child in model_folders.version_folders(folder).values()
        if (child / _SAVED_MODEL_FILE).exists()
    ]
    return versions[-1] if versions else None


def load_run(
    folder: str | os.PathLike[str],
) -> tuple[Any, DatasetDescriptor, tuple[int, int]]:
    """Loads the network of a run with what it was trained on.

    Returns:
        The network, the descriptor of its data, (height, width) of its input.

    Raises:
        UserError: If the run holds no whole network.
    """
    network, extra = saved_network.load_network(folder)
    descriptor = _descriptor_of(extra, folder)
    where = pathlib.Path(folder) / _NETWORK_FILE
    return (
        network,
        descriptor,
        model_description.checked_size(extra[IMAGE_SIZE], where),
    )


def read_descriptor(path: str | os.PathLike[str]) -> DatasetDescriptor:
    """Reads the names of a run's or SavedModel's outputs; no weights.

    Args:
        path: Path that `Predictor.from_directory` takes.

    Raises:
        UserError: If there is no model that says so.
    """
    file = description_file(path)
    if file.name != _NETWORK_FILE:
        return ModelDescription.load(file).descriptor
    extra = saved_network.read_description(file.parent)["extra"]
    return _descriptor_of(extra, file.parent)


def description_file(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the file that says what a model is, with the hash of its weights.

    Args:
        path: Path that `Predictor.from_directory` takes.

    Raises:
        UserError: If there is no model.
    """
    package = packages.find(path)
    if package is not None:
        return package.description_file
    folder = find_model(path)
    if (folder / _SAVED_MODEL_FILE).exists():
        return folder / model_description.FILE_NAME
    return folder / _NETWORK_FILE


def _descriptor_of(
    extra: Mapping[str, Any], folder: str | os.PathLike[str]
) -> DatasetDescriptor:
    """Returns what a run says that it was trained on."""
    missing = [name for name in (DESCRIPTOR, IMAGE_SIZE) if name not in extra]
    if missing:
        raise UserError(
            "network does not say what it was trained on",
            pathlib.Path(folder) / _NETWORK_FILE,
            f"{DESCRIPTOR} and {IMAGE_SIZE}",
            f"no {' and no '.join(missing)}",
        )
    return descriptors.of_values(extra[DESCRIPTOR], folder)


def graph_of(
    network: Any,
    descriptor: DatasetDescriptor,
    image_size: tuple[int, int],
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
) -> ServingGraph:
    """Puts a network in memory into a serving graph; see `from_network`."""
    answers = answering.answering(network, image_size)
    return ServingGraph(
        answers.function,
        answers.variables,
        descriptor,
        image_size,
        flip,
        scales,
    )


def describe(
    network: Any,
    name: str,
    version: int,
    descriptor: DatasetDescriptor,
    image_size: tuple[int, int],
    flip: bool,
    scales: Sequence[float],
) -> ModelDescription:
    """Describes a network in memory; see `ModelDescription`."""
    genotype = getattr(network, "genotype", None)
    return ModelDescription(
        name=name,
        version=version,
        descriptor=descriptor,
        image_size=tuple(image_size),
        weights_sha256=model_description.weights_sha256(network.variables),
        software_version=nppnet_tf.__version__,
        flip=flip,
        scales=tuple(float(scale) for scale in scales),
        network=dataclasses.asdict(network.config),
        genotype=genotype and genotype.to_values(),
        limits=dict(request_limits.LIMITS),
    )


def _graph_around(loaded: Any, description: ModelDescription) -> ServingGraph:
    """Averages as described around the plain network of a SavedModel."""
    network = loaded.signatures[serving_graph.NETWORK_SIGNATURE]
    return _graph_of(lambda image: network(image=image), description)


def _graph_of(
    network: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    description: ModelDescription,
) -> ServingGraph:
    """Puts a function that holds its weights into a serving graph."""
    return ServingGraph(
        network,
        [],
        description.descriptor,
        description.image_size,
        description.flip,
        description.scales,
    )

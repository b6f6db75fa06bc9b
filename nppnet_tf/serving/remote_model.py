"""A served model in the place of a loaded one, and how far both agree."""

import dataclasses
import pathlib

import numpy as np

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.inference import serving_graph
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.inference.predictor import Prediction
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer
from nppnet_tf.serving.peer import not_ours

_REASONS = {
    picture_structure.UNREADABLE: "not a whole JPEG or PNG",
    picture_structure.TOO_LARGE: "beyond a limit",
    picture_structure.DOES_NOT_FIT: "too large for one request",
    picture_structure.OUT_OF_RANGE: "values beyond 0 to 255",
}


class RemoteModel:
    """Answers about the one person of a picture, by asking a server.

    Stands where `inference.people_model.PeopleModel` does.

    Args:
        peer: The server.
        local: The same model, loaded here, to compare with; or None.
    """

    finds_people = False

    def __init__(
        self, peer: RestPeer | GrpcPeer, local: Predictor | None = None
    ) -> None:
        self._peer = peer
        self._local = local
        self.differences: list[Difference] = []

    def answer(
        self, path: pathlib.Path, data: bytes, image: np.ndarray
    ) -> tuple[PictureAnswer, tuple[()]]:
        """Returns the server's answer, and no boxes.

        Args:
            path: Path of the picture.
            data: Bytes of its file.
            image: Uint8 [H, W, 3], RGB, upright.

        Raises:
            UserError: The server refuses the picture, or cannot be reached.
        """
        found = ask(self._peer, data, path)
        if self._local is not None:
            (expected,) = self._local.predict([image])
            self.differences.append(compare(found, expected))
        person = PersonAnswer(found.keypoints_xy, found.scores)
        return PictureAnswer(found.label_map, (person,)), ()

    def summary(self) -> list[str]:
        """Returns lines that say how far the answers are from those here."""
        if not self.differences:
            return []
        worst = Difference(
            *(
                max(getattr(each, field.name) for each in self.differences)
                for field in dataclasses.fields(Difference)
            )
        )
        return [
            f"largest differences of {len(self.differences)} pictures: "
            f"{worst.labels:.3%} of pixels of another class, keypoints "
            f"{worst.pixels:.2g} pixels, scores {worst.score:.2g}"
        ]


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far two predictions of a picture are apart.

    Attributes:
        labels: Share of pixels of different classes.
        pixels: Largest distance of a keypoint along an axis.
        score: Largest difference of scores.
    """

    labels: float
    pixels: float
    score: float


def ask(
    peer: RestPeer | GrpcPeer, data: bytes, where: object = None
) -> Prediction:
    """Returns a server's prediction of one encoded picture.

    Args:
        peer: The server.
        data: Bytes of a JPEG or PNG file.
        where: The file, for the message.

    Raises:
        UserError: The server refuses it, or gives an answer of another form.
    """
    outputs = peer.predict([data], serving_graph.PNG_SIGNATURE)
    try:
        status = int(outputs[serving_graph.STATUS][0])
        if status != picture_structure.READ:
            raise UserError(
                "picture was refused",
                where,
                "status 0",
                f"status {status}, {_REASONS.get(status, 'unknown')}",
            )
        label_map = picture_files.decode_label_map(
            outputs[serving_graph.LABEL_MAP_BYTES][0], where
        )
        return Prediction(
            label_map,
            np.asarray(outputs[serving_graph.KEYPOINTS_XY][0], np.float32),
            np.asarray(outputs[serving_graph.KEYPOINT_SCORES][0], np.float32),
        )
    except json_documents.FORM_ERRORS as error:
        raise not_ours(peer.place, error) from error


def compare(found: Prediction, expected: Prediction) -> Difference:
    """Returns how far two predictions of one picture are apart."""
    if found.label_map.shape != expected.label_map.shape:
        return Difference(1.0, np.inf, np.inf)
    differs = found.label_map != expected.label_map
    return Difference(
        float(differs.mean()),
        _largest(found.keypoints_xy, expected.keypoints_xy),
        _largest(found.scores, expected.scores),
    )


def _largest(found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(found - expected), initial=0))

"""What the scores of a model mean, as it was measured on records.

A score is no probability: networks of other sizes and trainings answer with
other heights. `evaluation.calibrating` measures what they stand for, `export`
keeps it in a model's description, and `quality` reads it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from nppnet_tf.files import json_documents


@dataclasses.dataclass(frozen=True)
class Curve:
    """A share that grows with a score, straight between points.

    Attributes:
        scores: Scores of the points, growing.
        shares: The share at each, 0..1, never falling.
        error: Mean distance of expected and true shares, on people whom the
            points were not made of.
    """

    scores: tuple[float, ...]
    shares: tuple[float, ...]
    error: float

    def at(self, scores: np.ndarray) -> np.ndarray:
        """Returns the share at each score, float64 of their shape."""
        return np.interp(scores, self.scores, self.shares)

    @classmethod
    def from_values(cls, values: Mapping[str, Any], where: object) -> "Curve":
        """Reads what `dataclasses.asdict` wrote; UserError for other things."""
        json_documents.require(values, "an object", where, "curve")
        points = []
        for name in ("scores", "shares"):
            json_documents.require(values.get(name), "a list", where, name)
            points.append(
                tuple(
                    float(
                        json_documents.require(value, "a number", where, name)
                    )
                    for value in values[name]
                )
            )
        error = json_documents.require(
            values.get("error"), "a number", where, "error"
        )
        scores, shares = points
        if not scores or len(scores) != len(shares):
            raise ValueError("as many scores as shares")
        return cls(scores, shares, float(error))


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What a model's scores mean.

    Attributes:
        pictures: How many pictures were measured.
        joints: How many joints, of which pictures show some and some not.
        balanced_accuracy: Mean of the shares of shown joints that count as
            found and of others that do not, at the model's threshold.
        hits: Share of joints within half a head of their place, by score.
        parts: Share of a person's pixels with the right class, by the mean
            probability of the classes.
    """

    pictures: int
    joints: int
    balanced_accuracy: float
    hits: Curve | None
    parts: Curve | None

    @classmethod
    def from_values(
        cls, values: Mapping[str, Any], where: object
    ) -> "Calibration":
        """Reads what `dataclasses.asdict` wrote; UserError for other things."""
        json_documents.require(values, "an object", where, "calibration")
        curves = {
            name: None
            if values.get(name) is None
            else Curve.from_values(values[name], f"{where}, {name}")
            for name in ("hits", "parts")
        }
        for name in ("pictures", "joints", "balanced_accuracy"):
            json_documents.require(values.get(name), "a number", where, name)
        return cls(
            int(values["pictures"]),
            int(values["joints"]),
            float(values["balanced_accuracy"]),
            **curves,
        )

"""A card says what is known of a model, and of the rest that it is not."""

import json

from absl.testing import absltest

from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.inference.calibration import Calibration
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.reports import model_card

_WEIGHTS = "0123456789abcdef" * 4

_DESCRIPTION = ModelDescription(
    "people",
    3,
    descriptors.get("lip"),
    (128, 96),
    _WEIGHTS,
    "0.1.0",
    flip=True,
    scales=(0.5, 1.0),
    network={"channels": 16, "cells": 4},
)


def _rows(card, section):
    """The rows of the table of a section, by their first cell."""
    text = card.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    cells = [
        line.strip("| ").split(" | ", 1)
        for line in text.splitlines()
        if line.startswith("| ") and " | " in line.strip("| ")
    ]
    return dict(cells)


class TextTest(absltest.TestCase):
    def test_what_is_not_known_is_said(self):
        card = model_card.text(_DESCRIPTION, {})

        self.assertStartsWith(card, "# people, version 3\n")
        self.assertEqual(_rows(card, "Trained on")["how"], "not recorded")
        self.assertIn("## Measured\n\nNothing.", card)
        self.assertIn("what scores mean was not measured", card)
        self.assertIn("non-commercial research", card)

    def test_what_is_known_stands_in_it(self):
        description = ModelDescription(
            **{
                **vars(_DESCRIPTION),
                "score_threshold": 0.25,
                "calibration": Calibration(256, 4096, 0.894, None, None),
            }
        )
        result = {
            "parsing": {"mean_iou": 0.2394, "pixel_accuracy": 0.9},
            "pose": {"pckh": 0.5687},
            "protocol": {"dataset": "lip", "flip": False, "pictures": 256},
        }

        card = model_card.text(
            description,
            {"records": "64 records, 906c", "epochs": 10},
            [result],
            "Ours alone.\nAsk | us.",
        )

        network = _rows(card, "The network")
        self.assertEqual(network["C, L"], "16, 4")
        self.assertEqual(
            network["averages over"], "the mirrored picture and scales 0.5, 1"
        )
        self.assertEqual(
            _rows(card, "Trained on"),
            {"names of": "lip", "records": "64 records, 906c", "epochs": "10"},
        )
        self.assertEqual(
            _rows(card, "Measured"),
            {
                "mIoU": "0.2394",
                "pixel accuracy": "0.9000",
                "PCKh@0.5": "0.5687",
                "data set": "lip",
                "pictures": "256",
                "mirrored picture averaged in": "no",
            },
        )
        self.assertIn(
            "below 0.25 count as not found: on records that was right for "
            "89.4%",
            card,
        )
        self.assertEndsWith(card, "Ours alone. Ask \\| us.\n")


class ReadResultsTest(absltest.TestCase):
    def _file(self, **protocol):
        document = {"format": "nppnet_tf.evaluation", "protocol": protocol}
        return self.create_tempfile(content=json.dumps(document)).full_path

    def test_results_of_the_weights_are_read(self):
        path = self._file(weights_sha256=_WEIGHTS)

        (result,) = model_card.read_results([path], _WEIGHTS)

        self.assertEqual(result["protocol"]["weights_sha256"], _WEIGHTS)

    def test_results_of_other_weights_are_refused(self):
        path = self._file(weights_sha256="f" * 64)

        with self.assertRaisesRegex(UserError, "other weights.*0123456789ab"):
            model_card.read_results([path], _WEIGHTS)

    def test_other_documents_are_refused(self):
        path = self.create_tempfile(content='{"format": "else"}').full_path

        with self.assertRaisesRegex(UserError, "nppnet_tf.evaluation"):
            model_card.read_results([path], _WEIGHTS)


if __name__ == "__main__":
    absltest.main()

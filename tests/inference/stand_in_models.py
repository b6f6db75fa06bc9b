"""Models in folders for tests of tools, made from the stand-in."""

import functools
import pathlib
from unittest import mock

import tensorflow as tf

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import export
from nppnet_tf.inference import predictor
from tests import made_once
from tests.inference import stand_in


def exported_model() -> pathlib.Path:
    """Returns the folder of a version, exported once for all tests."""
    return made_once.folder("stand_in", _export) / "people" / "1"


def _export(folder: pathlib.Path) -> None:
    export.export_saved_model(
        stand_in.StandIn(), LIP, stand_in.IMAGE_SIZE, folder, "people"
    )


def loaded_once():
    """Has this process load the exported model once, which takes a second."""
    return mock.patch.object(tf.saved_model, "load", _load_once)


_load = tf.saved_model.load
_load_again = functools.cache(_load)


def _load_once(path: str, *arguments: object, **options: object) -> object:
    is_ours = str(path) == str(exported_model())
    load = _load_again if is_ours else _load
    return load(path, *arguments, **options)


def load_stand_in_for_any_run(**attributes: object):
    """Replaces the loading of runs; attributes are set on the network."""

    def load_run(folder: object):
        del folder
        network = stand_in.StandIn()
        for name, value in attributes.items():
            setattr(network, name, value)
        return network, LIP, stand_in.IMAGE_SIZE

    return mock.patch.object(predictor, "load_run", load_run)

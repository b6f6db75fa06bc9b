"""Models in folders for tests of tools, made from the stand-in."""

import atexit
import functools
import pathlib
import shutil
import tempfile
from unittest import mock

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import export
from nppnet_tf.inference import predictor
from tests.inference import stand_in


@functools.cache
def exported_model() -> pathlib.Path:
    """Returns the folder of a version, exported once for all tests."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return export.export_saved_model(
        stand_in.StandIn(), LIP, stand_in.IMAGE_SIZE, folder, "people"
    )


def load_stand_in_for_any_run(**attributes: object):
    """Replaces the loading of runs; attributes are set on the network."""

    def load_run(folder: object):
        del folder
        network = stand_in.StandIn()
        for name, value in attributes.items():
            setattr(network, name, value)
        return network, LIP, stand_in.IMAGE_SIZE

    return mock.patch.object(predictor, "load_run", load_run)

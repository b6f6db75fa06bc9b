"""Compiles and runs load_saved_model.cc against the installed TensorFlow."""

import collections
import importlib.util
import os
import pathlib
import shutil
import subprocess
import unittest
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_SOURCE = pathlib.Path(__file__).with_name("load_saved_model.cc")

# Without --no-as-needed the library that registers the session is dropped.
_LIBRARIES = ("tensorflow_cc", "tensorflow_framework")
_CALLED = ("predict_tensor", "serving_default")


def compile_runner(folder: pathlib.Path) -> pathlib.Path:
    """Compiles the program.

    Args:
        folder: For the program and links to the libraries.

    Raises:
        unittest.SkipTest: Where there is no compiler, or no library for it.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise unittest.SkipTest("no g++ here")
    specification = importlib.util.find_spec("tensorflow")
    root = pathlib.Path(specification.origin).parent
    for name in _LIBRARIES:
        library = root / f"lib{name}.so.2"
        if not library.exists():
            raise unittest.SkipTest(f"no {library.name} in this TensorFlow")
        (folder / f"lib{name}.so").symlink_to(library)
    program = folder / "load_saved_model"
    command = [
        compiler,
        "-std=c++17",
        # Takes a quarter of the time of the usual one on libraries so large.
        *(["-fuse-ld=gold"] if shutil.which("ld.gold") else []),
        f"-I{root / 'include'}",
        str(_SOURCE),
        "-o",
        str(program),
        f"-L{folder}",
        "-Wl,--no-as-needed",
        *(f"-l{name}" for name in _LIBRARIES),
        f"-Wl,-rpath,{root}",
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return program


def run(
    program: pathlib.Path,
    model: pathlib.Path,
    folder: pathlib.Path,
    image: np.ndarray,
    files: Sequence[bytes],
) -> dict[str, dict[str, np.ndarray]]:
    """Runs both signatures in the program.

    Args:
        program: Made by `compile_runner`.
        model: Folder of a version.
        folder: For what goes in and comes out.
        image: Float32 [h, w, 3] for `predict_tensor`.
        files: Pictures for `serving_default`, one batch.

    Returns:
        Outputs by name, by signature.
    """
    image.astype(np.float32).tofile(folder / "image")
    paths = [folder / f"file_{number}" for number in range(len(files))]
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    (folder / "signatures").write_text(_signatures(model))
    words = [program, model, folder, folder / "signatures", folder / "image"]
    words += [*image.shape[:2], *paths]
    completed = subprocess.run(
        [str(word) for word in words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if completed.returncode:
        raise AssertionError(completed.stderr[-2000:])
    outputs = collections.defaultdict(dict)
    for line in completed.stdout.splitlines():
        signature, name, kind, *sizes = line.split()
        dtype = tf.dtypes.as_dtype(int(kind)).as_numpy_dtype
        values = np.fromfile(folder / f"{signature}.{name}.raw", dtype)
        shape = [int(size) for size in sizes]
        outputs[signature][name] = values.reshape(shape)
    return outputs


def _signatures(model: pathlib.Path) -> str:
    """What load_saved_model.cc calls, as a SavedModel names it."""
    content = (model / "saved_model.pb").read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    lines = []
    for signature in _CALLED:
        called = graph.signature_def[signature]
        (feed,) = [value.name for value in called.inputs.values()]
        for name, value in called.outputs.items():
            lines.append(f"{signature} {name} {feed} {value.name}\n")
    return "".join(lines)

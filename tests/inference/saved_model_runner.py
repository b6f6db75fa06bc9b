"""Compiles and runs load_saved_model.cc against the installed TensorFlow."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import unittest

import numpy as np

_SOURCE = pathlib.Path(__file__).with_name("load_saved_model.cc")

# What the wheel's libraries were built with; without --no-as-needed the
# library that registers the session is dropped.
_FLAGS = (
    "-O0",
    "-w",
    "-std=c++17",
    "-D_GLIBCXX_USE_CXX11_ABI=1",
    "-DEIGEN_MAX_ALIGN_BYTES=64",
)
_LIBRARIES = ("tensorflow_cc", "tensorflow_framework")
_TYPES = {"float": np.float32, "int32": np.int32, "uint8": np.uint8}


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
        *_FLAGS,
        f"-I{root / 'include'}",
        f"-I{root / 'include/external/highwayhash'}",
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
    *words: object,
) -> dict[str, np.ndarray]:
    """Runs the program and returns the outputs of the signature by name."""
    folder.mkdir()
    completed = subprocess.run(
        [str(program), str(model), str(folder), *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if completed.returncode:
        raise AssertionError(completed.stderr[-2000:])
    outputs = {}
    for line in completed.stdout.splitlines():
        name, kind, *sizes = line.split()
        values = np.fromfile(folder / f"{name}.raw", _TYPES[kind])
        outputs[name] = values.reshape([int(size) for size in sizes])
    return outputs

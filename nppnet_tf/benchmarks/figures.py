"""Every figure of the page of speed, and how all of them are made again."""

import dataclasses
import os
import pathlib
import shlex
import subprocess
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence

from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.errors import UserError


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure by its name, which is that of its file too.

    Attributes:
        name: Name of the figure.
        arguments: What `tools.benchmark` takes for it, without its output.
        has_one_core: Whether the program is held on one core.
        peer: Who is measured beside it where that is installed, of
            `subjects.PEERS`, or None.
    """

    name: str
    arguments: tuple[str, ...]
    has_one_core: bool = False
    peer: str | None = None

    def file_in(self, folder: str | os.PathLike[str]) -> pathlib.Path:
        """Returns the path of its file in a folder of figures."""
        return pathlib.Path(folder) / f"{self.name}.json"

    def words(self, program: Sequence[str]) -> list[str]:
        """Returns the words that make it, of those that run the tool."""
        first = min(os.sched_getaffinity(0))
        held = ["taskset", "-c", str(first)] if self.has_one_core else []
        has_peer = self.peer is not None and subjects.has_peer(self.peer)
        beside = [f"--peer={self.peer}"] if has_peer else []
        return [*held, *program, *self.arguments, *beside]


def _figure(
    name: str,
    arguments: str,
    has_one_core: bool = False,
    peer: str | None = None,
) -> Figure:
    return Figure(name, tuple(shlex.split(arguments)), has_one_core, peer)


_DEMO = "--channels=16 --cells=4 --image_size=128x96"
_STAGE = "--channels=64 --cells=12 --image_size=192 --batch_size=2 --stage="
_RELEASED = "--channels=128 --cells=16"
_PRESET = f"--preset=released {_RELEASED}"
_INPUT = "--what=input_pipeline --image_size=384 --repeats=10"

# What grows: values beside those of `GROWTH_BASE`.
GROWTH = {
    "batch_size": (1, 2, 8),
    "channels": (16, 32, 64),
    "cells": (4, 8, 16),
    "image_size": (96, 192, 384),
}
GROWTH_BASE = {
    "batch_size": 2,
    "channels": 32,
    "cells": 8,
    "image_size": 192,
}
GROWTH_OF = (subjects.INFERENCE, subjects.TRAIN_STEP)
REPLICAS = (1, 2)


def growth_name(what: str, **changed: int) -> str:
    """Returns the name of a figure of how cost grows.

    Args:
        what: One of `GROWTH_OF`.
        **changed: Sizes by the names of `GROWTH`, or `num_replicas`; those of
            `GROWTH_BASE` count as not given.
    """
    parts = [
        f"{name}_{value}"
        for name, value in changed.items()
        if value != GROWTH_BASE.get(name)
    ]
    return "_".join(["growth", what, *parts])


def _growth() -> dict[str, Figure]:
    """Each of the sizes changed alone, and replicas of a training step."""
    changes = [{name: x} for name, values in GROWTH.items() for x in values]
    every = [(what, change) for what in GROWTH_OF for change in changes]
    every += [(subjects.TRAIN_STEP, {"num_replicas": x}) for x in REPLICAS]
    found = {}
    for what, change in every:
        name = growth_name(what, **change)
        sizes = {**GROWTH_BASE, **change}
        flags = tuple(f"--{flag}={value}" for flag, value in sizes.items())
        found[name] = Figure(name, (f"--what={what}", *flags, "--repeats=7"))
    return found


# Those that are done soon come first.
TABLE: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        _figure("reading", "--what=reading --image_size=384 --repeats=5"),
        _figure("inference_demo", f"--what=inference {_DEMO} --repeats=100"),
        _figure("input_one_core", f"{_INPUT} --input_workers=0", True),
        _figure("input_threads", f"{_INPUT} --input_workers=0"),
        _figure("input_workers", f"{_INPUT} --input_workers=2"),
        _figure(
            "train_demo",
            f"--what=train_step {_DEMO} --batch_size=16 --repeats=15",
            peer=subjects.TORCH,
        ),
        _figure("import", f"--what=import {_RELEASED} --repeats=5"),
        _figure(
            "inference_192",
            f"--what=inference {_PRESET} --image_size=192 --repeats=15",
        ),
        _figure(
            "inference_192_batch_8",
            f"--what=inference {_PRESET} --image_size=192 --batch_size=8 "
            "--repeats=5",
        ),
        _figure(
            "inference_384",
            f"--what=inference {_PRESET} --image_size=384 --repeats=7",
        ),
        _figure(
            "roofline_192",
            f"--what=roofline {_PRESET} --image_size=192 --repeats=7",
        ),
        _figure(
            "roofline_384",
            f"--what=roofline {_PRESET} --image_size=384 --repeats=5",
        ),
        _figure(
            "train_192",
            f"--what=train_step {_RELEASED} --image_size=192 --batch_size=2 "
            "--repeats=7",
            peer=subjects.TORCH,
        ),
        _figure(
            "search_stage_1",
            f"--what=search_step {_STAGE}encoder_decoder --repeats=7",
            peer=subjects.TORCH,
        ),
        _figure(
            "search_stage_2",
            f"--what=search_step {_STAGE}interaction_fusion --repeats=7",
            peer=subjects.TORCH,
        ),
        *_growth().values(),
    )
}


def wanted(
    folder: str | os.PathLike[str], names: Sequence[str] | None
) -> list[Figure]:
    """Returns the figures that are to be made, in the order of the table.

    Args:
        folder: Folder of their files.
        names: Their names, whether they are there or not; None for those that
            are not there.

    Raises:
        UserError: There is no figure of one of the names.
    """
    for name in names or ():
        if name not in TABLE:
            known = ", ".join(sorted(TABLE))
            raise UserError("no such figure", "`figures`", known, name)
    return [
        figure
        for name, figure in TABLE.items()
        if (name in names if names else not figure.file_in(folder).exists())
    ]


def make(
    figures: Iterable[Figure],
    folder: str | os.PathLike[str],
    program: Sequence[str],
    say: Callable[[str], object],
) -> None:
    """Makes figures one after the other, each in a process of its own.

    Memory and time since the start are then the figure's own.

    Args:
        figures: What is made; its files are replaced.
        folder: Folder of their files; exists.
        program: Words that run `tools.benchmark`.
        say: Gets a line for each.

    Raises:
        UserError: Some could not be made, at the end; all others are there.
    """
    failed = []
    for figure in figures:
        say(f"{figure.name}: {shlex.join(figure.arguments)}")
        done = subprocess.run(
            [*figure.words(program), f"--output={figure.file_in(folder)}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            failed.append(figure.name)
    if failed:
        raise UserError(
            "figures could not be made",
            folder,
            "all of them",
            ", ".join(failed),
        )


def program(tools: str) -> list[str]:
    """Returns the words that run the benchmark, of the tools' package."""
    return measuring.python("-m", f"{tools}.benchmark")

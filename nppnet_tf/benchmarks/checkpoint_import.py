"""The import of a file of the authors' form, in a process of its own."""

import json
import pathlib
import statistics
import tempfile
from collections.abc import Sequence
from typing import Any

from nppnet_tf.benchmarks import measuring
from nppnet_tf.importing import imported_run
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_writer
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published


def measure(
    channels: int, cells: int, tool: Sequence[str], repeats: int
) -> dict[str, Any]:
    """Writes a file of the authors' form and imports it, all in all.

    Args:
        channels: C of the network.
        cells: L of the network.
        tool: Words that run `import_npp`.
        repeats: How often, into another run each time.

    Returns:
        Seconds, memory, parameters and the size of the file.
    """
    network = NPPNet.from_preset(
        published.RELEASED_NAME, channels=channels, cells=cells
    )
    entries = state_dict.network_entries(network)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "checkpoint.pth"
        torch_writer.write(path, state_dict.to_state_dict(entries))
        size = path.stat().st_size
        runs = [folder / str(number) for number in range(repeats)]
        taken = [
            measuring.run_child(
                [*tool, f"--checkpoint={path}", f"--output={run}"]
            )
            for run in runs
        ]
        report = runs[0] / imported_run.REPORT_FILE
        parameters = json.loads(report.read_text())["network"]["parameters"]
    seconds, peaks = zip(*taken, strict=True)
    return {
        "channels": channels,
        "cells": cells,
        "parameters": parameters,
        "file_mb": round(size / 1e6, 1),
        "seconds": round(statistics.median(seconds), 2),
        "seconds_of_each_run": [round(value, 2) for value in seconds],
        "peak_memory_gb": max(peaks),
    }

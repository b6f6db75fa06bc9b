"""Answers requests of pictures by a SavedModel, as a server would.

    python -m tests.user_paths.picture_server MODEL REQUESTS ANSWERS

REQUESTS holds a folder for every request, ANSWERS gets `<request>.npz` for each
with the outputs of both bytes signatures, and `memory.json`: by how many
megabytes the process was ever larger than with the loaded model, after each
request. Imports TensorFlow alone.
"""

import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

_SIGNATURES = ("serving_default", "predict_png")


def main(model: str, requests: str, answers: str) -> None:
    """Answers every request in the order of its name."""
    loaded = tf.saved_model.load(model)
    # The first call sets up what every later one needs.
    for name in _SIGNATURES:
        loaded.signatures[name](image_bytes=tf.constant([b"no picture"] * 8))
    before = _status("VmRSS")
    memory = {}
    for folder in sorted(pathlib.Path(requests).iterdir()):
        files = [path.read_bytes() for path in sorted(folder.iterdir())]
        outputs = {}
        for name in _SIGNATURES:
            answer = loaded.signatures[name](image_bytes=tf.constant(files))
            for key in ("status", "image_size", "keypoints_xy"):
                outputs[f"{name}/{key}"] = answer[key].numpy()
            if name == "serving_default" and folder.name == "compared":
                outputs["label_map"] = answer["label_map"].numpy()
            # A server has sent it by now.
            del answer
        np.savez(pathlib.Path(answers) / f"{folder.name}.npz", **outputs)
        memory[folder.name] = _status("VmHWM") - before
    path = pathlib.Path(answers) / "memory.json"
    path.write_text(json.dumps(memory))


def _status(name: str) -> int:
    """Returns megabytes of this process: VmRSS now, VmHWM at most so far."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) // 1024
    raise ValueError(f"no such number. Received: name={name}")


if __name__ == "__main__":
    main(*sys.argv[1:])

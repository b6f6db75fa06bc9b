"""Python, its packages, and what TensorFlow says in a process of its own."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from nppnet_tf.machine_check.finding import MEND
from nppnet_tf.machine_check.finding import NOTE
from nppnet_tf.machine_check.finding import Finding

_PACKAGE = "nppnet_tf"
_REPOSITORY = pathlib.Path(__file__).parent.parent.parent

# Of `setup.py`.
_PYTHONS = ((3, 11), (3, 14))

# Files that a driver makes: NVIDIA's, and that of Windows' subsystem.
_GPU_FILES = ("/dev/nvidiactl", "/dev/dxg")

_PROFILER = "tensorboard-plugin-profile"

# Far longer than an import takes on a slow disk.
_MOST_SECONDS = 300

_PROBE = """
import json
import keras
import tensorflow as tf
devices = [
    tf.config.experimental.get_device_details(each).get("device_name", "GPU")
    for each in tf.config.list_physical_devices("GPU")
]
build = tf.sysconfig.get_build_info()
print(json.dumps({
    "tensorflow": tf.__version__,
    "keras": keras.__version__,
    "sum": float(tf.reduce_sum(tf.ones([8, 8]) @ tf.ones([8, 8]))),
    "gpus": devices,
    "cuda": build.get("cuda_version", ""),
    "cudnn": build.get("cudnn_version", ""),
}))
"""


def python_version(
    version: tuple[int, int] = sys.version_info[:2],
) -> Finding:
    """Looks at Python itself."""
    first, behind = _PYTHONS
    text = ".".join(map(str, version))
    if first <= version < behind:
        return Finding("Python", f"{text}, {sys.executable}")
    return Finding(
        "Python",
        text,
        MEND,
        "install Python "
        f"{first[0]}.{first[1]} to {behind[0]}.{behind[1] - 1} and make the "
        "environment anew with it",
    )


def packages(
    required: Iterable[str] | None = None, exact: str | None = None
) -> Iterator[Finding]:
    """Compares installed packages with what this one asks for.

    Args:
        required: Requirements; if absent, those that pip knows of.
        exact: Text of a file of constraints; if absent, that of the
            repository, where this is one.
    """
    try:
        required = required or importlib.metadata.requires(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        required = None
    if required is None:
        yield Finding(
            "packages",
            "pip does not know nppnet_tf: their ranges cannot be compared",
            NOTE,
            "pip install . in the repository",
        )
    wrong = list(_unfit(required or ()))
    for name, found, wanted in wrong:
        yield Finding(
            name, found, MEND, f"pip install '{wanted}' where this runs"
        )
    if not wrong and required:
        yield Finding("packages", "all that is required, in its range")
    yield from _other_versions(exact)


def tensorflow(
    environment: Mapping[str, str] | None = None,
) -> tuple[Finding, dict]:
    """Imports TensorFlow and computes a sum, in a process of its own.

    Args:
        environment: Variables of that process; if absent, those of this one.

    Returns:
        What was found, and what TensorFlow said: empty where it said nothing.
    """
    variables = dict(os.environ if environment is None else environment)
    variables.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # The sum of a multi-worker run is not this one's.
    variables.pop("TF_CONFIG", None)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=variables,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _unusable(f"no answer after {_MOST_SECONDS} s"), {}
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        return _unusable(_last_words(ended.returncode, said)), {}
    facts = json.loads(lines[-1])
    return (
        Finding(
            "TensorFlow",
            f"{facts['tensorflow']} computes, Keras {facts['keras']}",
        ),
        facts,
    )


def devices(
    facts: Mapping, gpu_files: Iterable[str] = _GPU_FILES
) -> Iterator[Finding]:
    """Says what runs compute on, and why not on a GPU that is there.

    Args:
        facts: What TensorFlow said.
        gpu_files: Files that a driver makes.
    """
    has_driver = any(map(os.path.exists, gpu_files))
    cores = f"{len(os.sched_getaffinity(0))} cores"
    if not facts:
        yield Finding("devices", f"{cores}; GPUs unknown without TensorFlow")
    elif facts["gpus"]:
        yield Finding("devices", f"{', '.join(facts['gpus'])}; {cores}")
    elif has_driver:
        yield Finding("devices", f"{cores}; TensorFlow sees no GPU", MEND)
    else:
        yield Finding(
            "devices",
            f"{cores}, no GPU",
            NOTE,
            "nothing, for a CPU; for a GPU its driver, and --gpus=all of a "
            "container",
        )
    if has_driver:
        yield _gpu_libraries(facts)


def profiler() -> Finding:
    """Looks for what shows traces of --profile_steps in TensorBoard."""
    version = _version(_PROFILER)
    if version:
        return Finding("profiler", f"{_PROFILER} {version}")
    return Finding(
        "profiler",
        f"no {_PROFILER}",
        NOTE,
        "pip install '.[profile]' to see traces of --profile_steps in "
        "TensorBoard; they are written without it",
    )


def _gpu_libraries(facts: Mapping) -> Finding:
    """Names the reason why there is no GPU, in the order of how often."""
    subject = "GPU libraries"
    installed = sorted(
        name
        for each in importlib.metadata.distributions()
        if (name := (each.name or "").lower()).startswith("nvidia-")
    )
    found = f"{len(installed)} packages of NVIDIA"
    if facts.get("gpus"):
        return Finding(
            subject,
            f"{found}; TensorFlow was built for CUDA {facts['cuda']}, cuDNN "
            f"{facts['cudnn']}",
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return Finding(
            subject,
            f"CUDA_VISIBLE_DEVICES={visible}",
            MEND,
            "unset CUDA_VISIBLE_DEVICES, which hides every GPU",
        )
    if not installed:
        return Finding(
            subject,
            "no packages of NVIDIA",
            MEND,
            "pip install 'tensorflow[and-cuda]>=2.20,<2.21' where this runs",
        )
    remedy = "run nvidia-smi: where it fails, the driver has to be mended"
    if os.environ.get("LD_LIBRARY_PATH"):
        remedy = "unset LD_LIBRARY_PATH, which may name another CUDA"
    return Finding(subject, found, MEND, remedy)


def _unfit(required: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yields name, what is there, and the requirement that it misses."""
    from packaging.requirements import Requirement

    for text in required:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        version = _version(wanted.name)
        if version is None:
            yield wanted.name, "not installed", f"{wanted.name}{_of(wanted)}"
        elif not wanted.specifier.contains(version, prereleases=True):
            yield wanted.name, version, f"{wanted.name}{_of(wanted)}"


def _of(wanted) -> str:
    return ",".join(sorted(map(str, wanted.specifier), reverse=True))


def _other_versions(exact: str | None) -> Iterator[Finding]:
    """Says which packages are not of the version that was tested."""
    path = _REPOSITORY / "constraints.txt"
    if exact is None and path.exists():
        exact = path.read_text(encoding="utf-8")
    pairs = [
        line.split("==") for line in (exact or "").splitlines() if "==" in line
    ]
    other = [
        f"{name} {found} (tested: {version})"
        for name, version in pairs
        if (found := _version(name)) is not None and found != version.strip()
    ]
    if other:
        yield Finding(
            "versions",
            f"{', '.join(other[:5])}{' ...' if other[5:] else ''}",
            NOTE,
            "pip install -c constraints.txt . to have those that were tested",
        )
    elif pairs:
        yield Finding("versions", "those of constraints.txt")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _unusable(found: str) -> Finding:
    return Finding(
        "TensorFlow",
        f"cannot be used: {found}",
        MEND,
        "pip install 'tensorflow>=2.20,<2.21' 'keras>=3.15.1,<4' where this "
        "runs; a CPU without AVX cannot run it",
    )


def _last_words(status: int, said: list[str]) -> str:
    if status < 0:
        return f"its process was ended by signal {-status}"
    return said[-1] if said else f"its process ended with status {status}"

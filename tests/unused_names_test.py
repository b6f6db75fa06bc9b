"""What the package offers is used: no function waits for somebody.

Names alone are compared, wherever they stand: a name that two things share
passes. What serves a test belongs beside it.
"""

import ast
import functools
from collections.abc import Iterator

from absl.testing import absltest

from tests import build_file
from tests import shared

# Public names that nothing of ours uses, and why they stay.
ALLOWED = {
    "_RestServer.capture_signals": "uvicorn calls it",
    "PictureHandler.get_metrics_namespace": "Beam calls it",
    "PictureHandler.get_num_bytes": "Beam calls it",
    "PictureHandler.load_model": "Beam calls it",
    "PictureHandler.run_inference": "Beam calls it",
    "_Registry.add_registered_method_handlers": "generated code of gRPC may",
    "JointModel.make_test_function": "Keras calls it",
    "JointModel.make_train_function": "Keras calls it",
    "Adam.update_step": "Keras calls it",
    "Strategy.configured": "a strategy in Python (docs/another_task.md)",
    "Predictor.predict_file": "the first thing a notebook does (README)",
}

# Keras calls them on every layer, loss and metric.
CALLED_BY_KERAS = {"build", "call", "compute_output_shape", "from_config"}


class UnusedNamesTest(absltest.TestCase):
    def test_every_public_name_is_used(self):
        used = _used()
        unused = [
            f"{source}: {name}"
            for source, name in _defined()
            if name.rpartition(".")[2] not in used | CALLED_BY_KERAS
            and name not in ALLOWED
        ]

        self.assertEmpty(
            unused,
            "used by tests at most: delete them, or move them beside the tests",
        )

    def test_exceptions_are_still_needed(self):
        defined = {name for _, name in _defined()}
        used = _used()
        stale = [
            name
            for name in ALLOWED
            if name not in defined or name.rpartition(".")[2] in used
        ]

        self.assertEmpty(stale)


@functools.cache
def _used() -> set[str]:
    """Names that are read somewhere in the package or the tools."""
    used = set()
    for source in build_file.python_files("nppnet_tf", "tools"):
        for node in ast.walk(_tree(source)):
            if not isinstance(getattr(node, "ctx", None), ast.Load):
                continue
            if isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return used


def _defined() -> Iterator[tuple[str, str]]:
    """Sources and the public constants, functions, classes and methods."""
    for source in build_file.python_files("nppnet_tf"):
        for node in _tree(source).body:
            for name in _names(node):
                if not name.startswith("_"):
                    yield source, name
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(
                        method, ast.FunctionDef
                    ) and not method.name.startswith("_"):
                        yield source, f"{node.name}.{method.name}"


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return [
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        ]
    return []


@functools.cache
def _tree(source: str) -> ast.Module:
    return ast.parse((shared.REPOSITORY / source).read_text("utf-8"))


if __name__ == "__main__":
    absltest.main()

"""Reads BUILD and the imports of the sources, for tests to compare."""

import ast
import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

from tests import shared

_PACKAGES = ("nppnet_tf", "tools", "tests")


@dataclasses.dataclass(frozen=True)
class Target:
    """One rule of BUILD.

    Attributes:
        kind: Name of the rule, "py_library".
        name: Name of the target.
        sources: Paths relative to the repository.
        dependencies: Names of targets.
    """

    kind: str
    name: str
    sources: tuple[str, ...]
    dependencies: tuple[str, ...]


def python_files(*folders: str) -> list[str]:
    """Returns the Python files below folders, as relative paths, in order."""
    return sorted(
        path.relative_to(shared.REPOSITORY).as_posix()
        for folder in folders
        for path in (shared.REPOSITORY / folder).rglob("*.py")
    )


def test_files() -> list[str]:
    """Returns the files that hold tests."""
    return [path for path in python_files("tests") if path.endswith("_test.py")]


def tool_names() -> list[str]:
    """Returns the names of the command lines."""
    return [
        pathlib.PurePath(path).stem
        for path in python_files("tools")
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "main"
            for node in syntax_tree(path).body
        )
    ]


@functools.cache
def syntax_tree(path: str) -> ast.Module:
    """Returns the syntax tree of a file given by its relative path."""
    return ast.parse(_text(path), path)


def is_test(reference: str) -> bool:
    """Whether "path::Class::test_name" names a test of this repository."""
    path, class_name, name = reference.split("::")
    if not (shared.REPOSITORY / path).is_file():
        return False
    return any(
        isinstance(node, ast.ClassDef)
        and node.name == class_name
        and any(
            isinstance(part, ast.FunctionDef) and part.name == name
            for part in node.body
        )
        for node in syntax_tree(path).body
    )


def imported_modules(path: str) -> set[str]:
    """Returns every module that a file may import, by its full dotted name.

    `from a import b` counts as `a.b`, and as `a` where that is no module of
    ours. Imports within functions count.
    """
    package = path.removesuffix(".py").split("/")[:-1]
    modules = set()
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1]
            parts = above if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            modules |= {f"{base}.{alias.name}" for alias in node.names}
    return modules


def imported_files(path: str) -> set[str]:
    """Returns the files of this repository that a file imports."""
    found = set()
    for module in imported_modules(path):
        parts = module.split(".")
        # "nppnet_tf.errors.UserError" is a name in nppnet_tf/errors.py.
        for length in range(len(parts), 0, -1):
            file = _file_of(parts[:length])
            if file is not None:
                found.add(file)
                break
    return found


def _file_of(parts: list[str]) -> str | None:
    if parts[0] not in _PACKAGES:
        return None
    stem = "/".join(parts)
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        if (shared.REPOSITORY / path).is_file():
            return path
    return None


@functools.cache
def read_targets() -> Mapping[str, Target]:
    """Returns the Python rules of BUILD by name.

    BUILD's language is a part of Python, so Python evaluates it, once.
    """
    targets = {}

    def rule(kind: str) -> Any:
        def record(name: str, **attributes: Any) -> None:
            targets[name] = Target(
                kind,
                name,
                tuple(attributes.get("srcs", ())),
                tuple(
                    dep.removeprefix(":") for dep in attributes.get("deps", ())
                ),
            )

        return record

    names = {
        kind: rule(kind)
        for kind in (
            "filegroup",
            "genrule",
            "py_binary",
            "py_library",
            "py_test",
        )
    }
    names["glob"] = _glob
    names["load"] = names["package"] = lambda *_, **__: None
    exec(_text("BUILD"), names)
    return targets


def _glob(include: list[str], exclude: tuple[str, ...] = ()) -> list[str]:
    def match(patterns: Any) -> set[str]:
        return {
            path.relative_to(shared.REPOSITORY).as_posix()
            for pattern in patterns
            for path in shared.REPOSITORY.glob(pattern)
            if path.is_file()
        }

    return sorted(match(include) - match(exclude))


def _text(path: str) -> str:
    return (shared.REPOSITORY / path).read_text()

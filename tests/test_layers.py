"""A module imports only from layers below its own (or from beside it, within the layer)."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "coursemill"
LAYERS = {
    "model": 0,
    "errors": 0,
    "config": 0,
    "__init__": 0,
    "pure": 1,
    "effects": 2,
    "course": 3,
    "faces": 4,
    "__main__": 4,
}
MODULES = sorted(SRC.rglob("*.py"))
# What touches the world may not be imported by layers that must not touch it.
FORBIDDEN = {
    0: {"subprocess", "socket", "os", "shutil", "nbformat", "nbgrader", "papermill", "click", "rich"},
    1: {"subprocess", "socket", "shutil", "tempfile", "nbgrader", "papermill", "click", "rich", "jupyter_client"},
    2: {"click", "rich"},
    3: {"click", "rich", "nbgrader", "papermill", "subprocess"},
    4: {"nbgrader", "papermill"},
}


def layer(path: Path) -> int:
    return LAYERS[path.relative_to(SRC).parts[0].removesuffix(".py")]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_point_downwards(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "coursemill" and len(parts) > 1:
            target = LAYERS.get(parts[1], 0)
            assert target <= layer(path), f"{path.name} (layer {layer(path)}) imports {name} (layer {target})"
        else:
            assert parts[0] not in FORBIDDEN[layer(path)], f"layer {layer(path)} may not import {name}"


@pytest.mark.parametrize("path", [p for p in MODULES if layer(p) < 4], ids=lambda p: str(p.relative_to(SRC)))
def test_only_faces_print_or_exit(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "quit", "input"}, f"{path}:{node.lineno}"

"""A name means one thing: no script hides a package, no comprehension what is called beside it.

Python 3.12 puts a comprehension into the function that it stands in. Early releases of it then
find a function of the module unset in a second comprehension, where the first has a variable of
its name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_INLINED = (ast.ListComp, ast.SetComp, ast.DictComp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _of_module(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def _scope(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """What stands in a function itself, not in functions within it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef, ast.GeneratorExp)):
            pending += ast.iter_child_nodes(node)


def _taken(text: str) -> list[tuple[str, str, int]]:
    """Function, name and line of each use of a name that a comprehension beside it has taken."""
    tree = ast.parse(text)
    names, found = _of_module(tree), []
    for function in ast.walk(tree):
        if not isinstance(function, _FUNCTIONS):
            continue
        nodes = list(_scope(function))
        inside: dict[str, set[ast.AST]] = {}
        for made in (node for node in nodes if isinstance(node, _INLINED)):
            targets = (part for loop in made.generators for part in ast.walk(loop.target))
            for name in {part.id for part in targets if isinstance(part, ast.Name)} & names:
                inside.setdefault(name, set()).update(ast.walk(made))
        found += [
            (function.name, node.id, node.lineno)
            for node in nodes
            if isinstance(node, ast.Name) and node not in inside.get(node.id, {node})
        ]
    return found


@pytest.mark.parametrize("package", ["regtech", "detectors", "casework"])
def test_no_comprehension_takes_a_name_that_is_used_beside_it(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): taken
        for path in sorted((ROOT / package).rglob("*.py"))
        if (taken := _taken(path.read_text(encoding="utf-8")))
    }
    assert not found, "give the variable another name: Python 3.12 may find the function unset"


def test_one_that_does_is_found() -> None:
    text = (
        "def line(): ...\ndef f(a):\n    b = [line for line in a]\n    return [line(c) for c in b]"
    )
    assert _taken(text) == [("f", "line", 4)]


def test_no_script_hides_a_package_from_those_beside_it() -> None:
    """The folder of a script that is run stands before everything else that is imported."""
    packages = {
        *sys.stdlib_module_names,
        *(path.parent.name for path in ROOT.glob("*/__init__.py")),
    }
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert len(scripts) > 20 and {"casework", "regtech"} <= packages
    assert not scripts & packages

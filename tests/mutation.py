"""Which small faults tests find: ``python -m tests.mutation adaptnet/readaptation --number 40``.

A mutant is the source with one operator, comparison or number changed. For each of a random sample
the tests run in a copy of the tree, until the first fails. Mutants that survive are printed with
their line: each is a missing test, or a change that makes no difference.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

ROOT = Path(__file__).parent.parent
PACKAGES = ("adaptnet", "environments", "scenarios", "tests")

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all",
          "all": "any", "argmax": "argmin", "argmin": "argmax"}  # fmt: skip


Change: TypeAlias = Callable[[Any], object]


class Mutant(NamedTuple):
    """One change of one file."""

    path: Path
    line: int
    before: str
    after: str
    source: str


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    tree = ast.parse(path.read_text())
    for number, node in enumerate(ast.walk(tree)):
        for variant in _variants(node):
            changed = copy.deepcopy(tree)
            at = list(ast.walk(changed))[number]
            before = ast.unparse(at)
            variant(at)
            source = ast.unparse(changed)
            yield Mutant(path, at.lineno, before, ast.unparse(at), source)  # type: ignore[attr-defined]


def _variants(node: ast.AST) -> Iterator[Change]:
    """Yield functions each of which changes a copy of the node in one way."""
    if isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED and not _is_type(node):
        yield lambda at: setattr(at, "op", _SWAPPED[type(at.op)]())
    if isinstance(node, ast.BoolOp):
        yield lambda at: setattr(at, "op", _SWAPPED[type(at.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPPED:
        yield lambda at: at.ops.__setitem__(0, _SWAPPED[type(at.ops[0])]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield (
            lambda at: (
                setattr(at, "op", ast.UAdd())
                if isinstance(at.op, ast.USub)
                else (setattr(at, "operand", ast.UnaryOp(copy.copy(at.op), at.operand)))
            )
        )
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda at: setattr(at, "value", at.value + 1)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in _CALLS:
            yield _renamed


def _renamed(at: ast.Call) -> None:
    if isinstance(at.func, ast.Attribute):
        at.func.attr = _CALLS[at.func.attr]
    elif isinstance(at.func, ast.Name):
        at.func.id = _CALLS[at.func.id]


def _is_type(node: ast.BinOp) -> bool:
    """Return whether ``a | b`` is a union of types."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Constant)]
    return isinstance(node.op, ast.BitOr) and any(
        (isinstance(part, ast.Constant) and part.value is None)
        or (isinstance(part, ast.Name) and part.id in ("int", "float", "str", "bool"))
        for part in names
    )


def outcome(mutant: Mutant, tree: Path, tests: list[str], seconds: float) -> str:
    """Return whether the tests killed a mutant in a copy of the tree, which is restored after."""
    target = tree / mutant.path.relative_to(ROOT)
    original = target.read_bytes()
    target.write_text(mutant.source)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return "killed (time)"
    finally:
        target.write_bytes(original)
    return "survived" if done.returncode == 0 else "killed"


def main() -> None:
    """Run the tests on a sample of mutants, and print those that survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="whose modules are changed")
    parser.add_argument("--tests", nargs="+", help="by default the folder's own")
    parser.add_argument("--number", type=int, default=40, help="mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=600.0, help="limit of a run of the tests")
    options = parser.parse_args()
    folder = ROOT / options.folder
    tests = options.tests or [f"tests/{options.folder}", options.folder]
    every = [mutant for path in sorted(folder.rglob("*.py")) for mutant in mutants(path)]
    chosen = random.Random(options.seed).sample(every, min(options.number, len(every)))
    print(f"{len(chosen)} of {len(every)} mutants of {options.folder}")
    with tempfile.TemporaryDirectory() as place:
        trees = [_copy(Path(place) / str(job)) for job in range(options.jobs)]
        unchanged = chosen[0]._replace(source=chosen[0].path.read_text())
        if outcome(unchanged, trees[0], tests, options.seconds) != "survived":
            sys.exit("the tests fail without any mutant")

        def run(job: int) -> list[tuple[Mutant, str]]:
            found = []
            for mutant in chosen[job :: options.jobs]:
                found.append((mutant, outcome(mutant, trees[job], tests, options.seconds)))
                print(f"{found[-1][1]:13} {_described(mutant)}", flush=True)
            return found

        with ThreadPoolExecutor(options.jobs) as pool:
            results = [one for found in pool.map(run, range(options.jobs)) for one in found]
    survived = sum(how == "survived" for _, how in results)
    print(f"{1 - survived / len(results):.0%} killed, {survived} survived")


def _copy(tree: Path) -> Path:
    """Return a copy of the tree, with its compiled kernels."""
    tree.mkdir()
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name)
    for name in ("pyproject.toml", "setup.cfg"):
        shutil.copy2(ROOT / name, tree)
    return tree


def _described(mutant: Mutant) -> str:
    place = f"{mutant.path.relative_to(ROOT)}:{mutant.line}"
    return f"{place}: {mutant.before[:70]!r} -> {mutant.after[:70]!r}"


if __name__ == "__main__":
    main()

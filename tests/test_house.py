"""The house itself: which way imports run, what importing costs, what is exported, how it reads."""

import ast
import configparser
import importlib
import inspect
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import adaptnet
import adaptnet.circuits
import adaptnet.kernels
import environments

ROOT = Path(__file__).parent.parent
PACKAGES = ("adaptnet", "environments", "scenarios")
NAMESPACES = [  # what users import from
    *PACKAGES,
    *(f"adaptnet.{name}" for name in (*adaptnet._PACKAGES, "estimators", "theory")),
    "adaptnet.circuits.frames",
    *(f"environments.{name}" for name in ("covariances", "paths", "samples", "schedules")),
    "environments.presets",
    "environments.transitions",
]
FUTURE = "its module needs 'from __future__ import annotations'"
# Words that read as translated, and names that are not nouns (the second half of a pattern in
# brackets keeps it from finding itself).
UNIDIOMATIC = re.compile(
    r"gone on wit[h]|\bno ru[n]\b|is non[e]\b|are non[e]\b|tol[d]\b|\bof [=]|passed ove[r]|"
    r"made ane[w]|so many agai[n]"
)


def tracked(*suffixes):
    """Return the files under version control that end in one of the suffixes."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if name.endswith(suffixes)]


def sources():
    """Return the path and the syntax tree of each module of the packages."""
    return [
        (path, ast.parse(path.read_text()))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def bound_name(node):
    """Return the variable or argument that a node of a syntax tree binds, or None."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else None


def functions(tree):
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def n_lines(function):
    """Return the lines of a function's body, its docstring not counted."""
    body = function.body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    body = body[1:] if documented and len(body) > 1 else body
    return body[-1].end_lineno - body[0].lineno + 1


def loaded_after(statement):
    """Return the top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_imports_run_one_way():
    # In a process of its own: it switches off the loggers of the one it runs in.
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_compiles_and_draws_nothing():
    assert not loaded_after("import adaptnet") & {"numba", "matplotlib", "skimage", "tqdm"}


def test_a_run_draws_nothing_before_it_is_computed():
    assert not loaded_after("import scenarios.cli.running") & {"numba", "matplotlib"}


def test_what_is_public_is_loaded_on_request_and_listed():
    assert {*adaptnet.__all__} <= {*dir(adaptnet)}
    code = "import adaptnet.reports, adaptnet.sweeps.sweep, adaptnet.simulation.extend; "
    code += "import adaptnet as an; assert all(map(callable, (an.report, an.sweep, an.extend)))"
    loaded_after(code)  # folders and files of the same names are loaded first
    with pytest.raises(AttributeError, match="no attribute 'reprot'"):
        _ = adaptnet.reprot


def test_the_command_line_loads_nothing_heavy_for_its_help():
    heavy = {"numba", "matplotlib", "numpy", "scipy", "xarray", "netCDF4"}
    assert not loaded_after("import scenarios.cli") & heavy


@pytest.mark.parametrize("package", [adaptnet, adaptnet.circuits, environments])
def test_exports_are_real_sorted_and_documented(package):
    assert list(package.__all__) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__doc__


@pytest.mark.parametrize("name", NAMESPACES)
def test_completion_shows_what_is_public(name):
    module = importlib.import_module(name)
    extra = {"__version__", *adaptnet._PACKAGES} if module is adaptnet else set()
    assert {*dir(module)} - extra == {*module.__all__}


@pytest.mark.parametrize("name", NAMESPACES)
def test_the_reference_has_a_page(name):
    page = ROOT / "docs" / "api" / f"{name}.md"
    assert f".. automodule:: {name}\n   :members:" in page.read_text()
    assert f"\n{name}\n" in (page.parent / "index.md").read_text()


@pytest.mark.parametrize("name", NAMESPACES)
def test_help_names_types_as_they_are_written(name):
    module = importlib.import_module(name)
    for public in (getattr(module, name) for name in module.__all__):
        if isinstance(public, type) and issubclass(public, Exception):
            continue  # Python's own
        if not (inspect.isfunction(public) or inspect.isclass(public)):
            continue
        for parameter in inspect.signature(public).parameters.values():
            # Evaluated, ArrayLike alone takes five lines.
            assert "numpy._typing" not in str(parameter), f"{public}: {FUTURE}"
            assert len(str(parameter)) < 80, f"{public}: name the type of {parameter.name}"


def test_packages_are_named_once():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert "[project]" not in (ROOT / "pyproject.toml").read_text()
    assert config["metadata"]["name"] == "adaptnet"


def test_the_top_floor_is_clear():
    loose = sorted(path.name for path in (ROOT / "adaptnet").glob("*.py"))
    assert len(loose) <= 8, loose


def test_functions_are_short():
    lengths = [n_lines(f) for _, tree in sources() for f in functions(tree)]
    assert statistics.median(lengths) < 10


def test_few_imports_stand_inside_functions():
    # What is large and seldom needed (netCDF4, scipy, scikit-image, tqdm) is loaded when it is.
    late = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in sources()
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len(late) <= 25, late


def test_prose_is_plain_english():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked(".py", ".md")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNIDIOMATIC.search(line)
    ]
    assert not found, "\n".join(found)


def test_variables_are_named_by_nouns():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if (name := bound_name(node)) in {"given", "of", "others", "some", "sound", "which"}
    ]
    assert not found, "\n".join(found)


def test_pages_import_what_is_public():
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in tracked(".md")
        for line in path.read_text().splitlines()
        if re.match(r"\s*(>>> )?(from|import) .*(\b|\.)_\w", line)
    ]
    assert not found, "\n".join(found)

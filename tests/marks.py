"""Marks of tests that are alike for many cases."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(usual: Iterable[str], cases: Iterable[str]) -> list[Any]:
    """Return cases by their names, all of them slow but the usual ones."""
    usual, names = [*usual], [*cases]
    missing = {*usual} - {*names}
    assert not missing, f"there is no case named {sorted(missing)}"
    slow = pytest.mark.slow
    return [pytest.param(n, id=n, marks=() if n in usual else slow) for n in names]

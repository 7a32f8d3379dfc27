"""What determines a result, as a checksum: results of other code or other values never match."""

import dataclasses
import functools
import hashlib
import inspect
import json
import pickle
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any

import numpy as np


def fingerprint(value: Any) -> str:
    """Return a checksum of a function, class or value, and of what it refers to.

    Of a function its code counts, its defaults, and what it takes from its module or from around
    itself, and the sources of modules that it uses and that are not installed; not where it stands
    in its file.

    Examples
    --------
    >>> def one(x): return x + 1
    >>> def two(x): return x + 2
    >>> fingerprint(one) == fingerprint(one), fingerprint(one) == fingerprint(two)
    (True, False)
    """
    digest = hashlib.sha256()
    _add(digest, value, set())
    return digest.hexdigest()


def checksum(description: Any) -> str:
    """Return a checksum of plain values, 32 hexadecimal digits.

    Examples
    --------
    >>> checksum({"a": 1, "b": 2.0}) == checksum({"b": 2.0, "a": 1})
    True
    >>> checksum({"a": 1}) == checksum({"a": 1.0})
    False
    """
    text = json.dumps(description, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _add(digest: "hashlib._Hash", value: Any, seen: set[int]) -> None:
    """Add what `value` says to a digest; what refers to itself is added once."""
    if id(value) in seen:
        digest.update(b"again")
        return
    seen = {*seen, id(value)}
    digest.update(f"{type(value).__qualname__}:".encode())
    if isinstance(value, types.FunctionType):
        _add_function(digest, value, seen)
    elif isinstance(value, types.MethodType):
        _add(digest, value.__func__, seen)
        _add(digest, value.__self__, seen)
    elif isinstance(value, functools.partial):
        for part in (value.func, value.args, value.keywords):
            _add(digest, part, seen)
    elif isinstance(value, types.CodeType):
        digest.update(value.co_code + repr((value.co_names, value.co_varnames)).encode())
        for constant in value.co_consts:
            _add(digest, constant, seen)
    elif isinstance(value, type | types.BuiltinFunctionType):
        _add_named(digest, value, seen)
    elif isinstance(value, dict):
        for key, entry in value.items():
            _add(digest, key, seen)
            _add(digest, entry, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        entries = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        for entry in entries:
            _add(digest, entry, seen)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(f"{value.dtype.str}{value.shape}".encode() + value.tobytes())
    elif dataclasses.is_dataclass(value):
        _add(digest, type(value), seen)
        for field in dataclasses.fields(value):
            _add(digest, getattr(value, field.name), seen)
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes):
        digest.update(repr(value).encode())
    elif hasattr(value, "__wrapped__"):  # a decorator's object around a function
        _add(digest, value.__wrapped__, seen)
    else:
        digest.update(pickle.dumps(value))


def _add_function(digest: "hashlib._Hash", function: types.FunctionType, seen: set[int]) -> None:
    wrapped = inspect.unwrap(function)
    if wrapped is not function:
        _add(digest, wrapped, seen)
    _add(digest, function.__code__, seen)
    _add(digest, function.__defaults__, seen)
    _add(digest, function.__kwdefaults__, seen)
    for cell in function.__closure__ or ():
        _add(digest, cell.cell_contents, seen)
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            digest.update(name.encode())
            _add_global(digest, function.__globals__[name], function.__module__, seen)


def _add_global(digest: "hashlib._Hash", value: Any, module: str, seen: set[int]) -> None:
    """Add a global that a function uses: by content if it is of its module, else by name."""
    home = getattr(value, "__module__", None)
    if isinstance(value, types.ModuleType):
        digest.update(value.__name__.encode() + _source_of(value))
    elif isinstance(value, types.FunctionType | type) and home != module:
        digest.update(
            f"{home}.{value.__qualname__}".encode() + _source_of(sys.modules.get(str(home)))
        )
    else:
        _add(digest, value, seen)


@functools.cache
def _source_of(module: types.ModuleType | None) -> bytes:
    """Return the source of a module of the user's; nothing for what is installed."""
    file = getattr(module, "__file__", None)
    installed = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    if file is None or any(Path(file).is_relative_to(folder) for folder in installed):
        return b""
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _add_named(digest: "hashlib._Hash", value: Any, seen: set[int]) -> None:
    name = getattr(value, "__qualname__", getattr(value, "__name__", ""))
    digest.update(f"{getattr(value, '__module__', '')}.{name}".encode())
    if isinstance(value, type) and not value.__module__.startswith("builtins"):
        try:
            digest.update(inspect.getsource(value).encode())
        except (OSError, TypeError):  # of an interactive session
            for key, entry in sorted(vars(value).items()):
                if isinstance(entry, types.FunctionType):
                    digest.update(key.encode())
                    _add(digest, entry.__code__, seen)


def _names(code: types.CodeType) -> set[str]:
    """Return the names that code looks up, inner functions included."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))

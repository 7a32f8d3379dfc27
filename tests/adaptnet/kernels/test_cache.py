"""Compiled kernels on disk: damaged, outdated and unwritable files cost a compilation, no more."""

import errno
import importlib.util
from pathlib import Path

import pytest

from adaptnet.kernels.building_blocks import cache
from tests.adaptnet.kernels.test_ways import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="nothing is compiled")

SOURCE = """
from adaptnet.kernels.building_blocks.compile import kernel

@kernel
def doubled(x):
    return 2 * x
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that imports a small kernel anew, as another process would."""
    monkeypatch.setattr(cache, "_warned", set())
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    path = tmp_path / "doubling.py"
    path.write_text(SOURCE)

    def loaded():
        spec = importlib.util.spec_from_file_location("doubling", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.doubled

    return loaded


def kept(tmp_path):
    return sorted(tmp_path.rglob("*.nbc"))


def test_kernels_are_compiled_once(load, tmp_path):
    assert load()(2.0) == 4.0
    assert len(kept(tmp_path)) == 1
    again = load()
    assert again(2.0) == 4.0
    assert not again.stats.cache_misses
    assert again(3) == 6  # another signature has a file of its own
    assert len(kept(tmp_path)) == 2


def both(kernel):
    """Call a kernel in both of its signatures."""
    return kernel(2.0), kernel(2)


def cut(content):
    return content[:10]


def empty(content):
    return b""


def garbled(content):
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


@pytest.mark.parametrize("damage", [cut, empty, garbled])
def test_damaged_files_are_replaced_with_one_warning(load, tmp_path, damage):
    assert both(load()) == (4.0, 4)
    for path in kept(tmp_path):
        path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(RuntimeWarning, match="damaged, and compiled again") as warnings_seen:
        results = both(load())
    assert results == (4.0, 4)
    assert len(warnings_seen) == 1
    again = load()
    assert both(again) == (4.0, 4)
    assert not again.stats.cache_misses


def test_a_full_disk_is_named_and_does_not_end_the_run(load, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "full", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.warns(RuntimeWarning, match="No space left on device") as warnings_seen:
        results = both(load())
    assert results == (4.0, 4)
    assert len(warnings_seen) == 1
    assert not kept(tmp_path)


def test_an_edit_of_any_kernels_source_compiles_all_again(load, tmp_path, monkeypatch):
    load()(2.0)
    before = kept(tmp_path)
    monkeypatch.setattr(cache, "sources_digest", lambda: "after an edit")
    kernel = load()
    kernel(2.0)
    assert kernel.stats.cache_misses
    assert len(kept(tmp_path)) == 1  # what was compiled from the old sources is removed
    assert kept(tmp_path) != before


def test_what_a_function_was_compiled_to_before_it_moved_is_removed(tmp_path):
    cache.CacheFiles(str(tmp_path), "kernel-3.py311", "old").save("int", 1)
    cache.CacheFiles(str(tmp_path), "kernel-3.py313", "old").save("int", 1)
    cache.CacheFiles(str(tmp_path), "kernels-3.py311", "old").save("int", 1)
    cache.CacheFiles(str(tmp_path), "kernel-5.py311", "new").save("int", 1)
    left = sorted(path.name.split(".")[:2] for path in kept(tmp_path))
    assert left == [["kernel-3", "py313"], ["kernel-5", "py311"], ["kernels-3", "py311"]]


def test_the_digest_is_of_all_that_kernels_may_call():
    names = {path.name for path in cache._ROOM.rglob("*.py")}
    assert {"packed.py", "simd.py", "plain.py"} <= names
    assert cache.sources_digest() == cache.sources_digest.__wrapped__()


def test_processes_that_save_at_once_do_not_take_each_others_names(tmp_path):
    one, other = (cache.CacheFiles(str(tmp_path), "kernel-3.py311", "stamp") for _ in range(2))
    assert one.load("int") is other.load("float") is None
    one.save("int", 1)
    other.save("float", 2.0)
    for files in (one, other):
        assert (files.load("int"), files.load("float")) == (1, 2.0)
    assert not list(tmp_path.glob("*.part"))

"""Whether a file from elsewhere is safe to open: tried in a process that it may crash or stall."""

import functools
import json
import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

from adaptnet.files.netcdf import fingerprint

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAGIC = (_HDF5, b"CDF\x01", b"CDF\x02", b"CDF\x05")
_SECONDS = 60  # on the clock
_CPU_SECONDS = 4  # of work, and one more for each 20 MB; ten times what a sound file takes
_MEMORY = 2**30  # bytes beyond what an idle process has

# Opens a file and reads some of all of it; runs apart from the folder and the settings of a user.
_PROGRAM = """
import json, sys
path, folders, seconds, memory = json.loads(sys.argv[1])
sys.path += folders
import netCDF4
try:
    import resource
    with open("/proc/self/statm") as file:
        memory += int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, OSError, ValueError):
    pass

left = 200_000_000  # bytes that are read as a whole; of variables beyond, the first and the last

def read(variable):
    global left
    variable.set_auto_maskandscale(False)
    if variable.ndim == 0 or variable.size == 0:
        variable[...]
        return
    inner = max(1, variable.size // variable.shape[0])
    rows = max(1, 500_000 // inner)
    if inner > 4_000_000:
        variable[(0,) * variable.ndim]
        variable[tuple(length - 1 for length in variable.shape)]
        return
    left -= 8 * variable.size
    firsts = range(0, variable.shape[0], rows)
    for first in firsts if left > 0 else {firsts[0], firsts[-1]}:
        variable[first:first + rows]

def visit(group):
    for owner in (group, *group.variables.values()):
        for name in owner.ncattrs():
            owner.getncattr(name)
    for variable in group.variables.values():
        read(variable)
    for inner in group.groups.values():
        visit(inner)

with netCDF4.Dataset(path) as dataset:
    visit(dataset)
"""


def require_readable(source: Path, *, sealed: bool) -> None:
    """Raise unless a file can be read, and holds all that it is read for itself.

    Raises
    ------
    ValueError
        If it is not netCDF, refers to other files or may, or cannot be read within limits of time
        and memory.
    """
    with source.open("rb") as file:
        start = file.read(48)
    if not start.startswith(_MAGIC):
        raise ValueError(f"{source} is not a netCDF file; runs are made by `adaptnet run`")
    if start.startswith(_HDF5) and not _is_laid_out_as_ours(start):
        raise ValueError(
            f"{source} is refused: its first bytes are damaged or of an unknown layout, so that "
            "references to other files could not be found"
        )
    if start.startswith(_HDF5) and _refers_elsewhere(source):
        raise ValueError(
            f"{source} is refused: it refers to other files (external storage, links or virtual "
            "datasets), which files of runs never do"
        )
    _try(str(source), fingerprint(source), sealed)


_trusted: set[tuple[int, ...]] = set()


def trust(source: Path) -> None:
    """Note that this process has written a file itself."""
    _trusted.add(fingerprint(source))


def is_trusted(source: Path) -> bool:
    """Return whether a file is still as this process has written it."""
    return fingerprint(source) in _trusted


@functools.lru_cache(maxsize=64)
def _try(source: str, seen: tuple[int, ...], sealed: bool) -> None:
    import netCDF4

    size = seen[2]
    folders = sorted({str(Path(module).parent.parent) for module in (netCDF4.__file__,)})
    wanted = json.dumps([source, folders, _CPU_SECONDS + size // 20_000_000, _MEMORY])
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", _PROGRAM, wanted],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS + size / 20_000_000,
            check=False,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            errors="backslashreplace",
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{source} cannot be read: it takes too long") from None
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"signal {-ended.returncode}"])[-1]
        lacks = "" if sealed else "has no checksum, and "
        raise ValueError(
            f"{source} {lacks}cannot be read; it is truncated or damaged, so run it again ({last})"
        )


# What an HDF5 file must hold, as bytes, to refer to another file: the heap of names that external
# storage needs (the netCDF library writes no such heap), a link of type 64, or the layout of a
# virtual dataset, which is a class 3 before the address of a heap of objects. None of these can be
# hidden by compression, unless a heap of links is compressed, which that library does not do.
_NAMES = re.compile(rb"HEAP\x00.{8}\x00{3}.{13}\x00{3}", re.DOTALL)  # sizes below a terabyte
_FILTERED = re.compile(rb"FRHP\x00..(?!\x00\x00)..[\x00-\x03]", re.DOTALL)
_OBJECTS = re.compile(rb"GCOL\x01", re.DOTALL)
_EXTERNAL = re.compile(
    rb"\x01(?:"
    rb"[\x08-\x0b]\x40|"  # flags; bits 0 and 1: width of the name's length, bit 3: type 64 follows
    rb"[\x0c-\x0f]\x40.{8}|"  # bit 2: order of creation
    rb"[\x18-\x1b]\x40[\x00\x01]|"  # bit 4: character set
    rb"[\x1c-\x1f]\x40.{8}[\x00\x01]"
    rb")",
    re.DOTALL,
)


def _is_laid_out_as_ours(start: bytes) -> bool:
    """Return whether the first 48 bytes are as the netCDF library writes them to HDF5 files.

    Of others the addresses would not be found where they are looked for.
    """
    if len(start) < 48:
        return False
    version = start[8]
    if version in (0, 1):
        widths, base = start[13:15], start[24:32] if version == 0 else start[28:36]
    else:
        widths, base = start[9:11], start[12:20]
    return widths == b"\x08\x08" and base == bytes(8)


def _refers_elsewhere(source: Path) -> bool:
    """Return whether a file may ask HDF5 to open another one."""
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        if _NAMES.search(content) or _FILTERED.search(content):
            return True
        if any(_is_external(content, match) for match in _EXTERNAL.finditer(content)):
            return True
        objects = {match.start().to_bytes(8, "little") for match in _OBJECTS.finditer(content)}
        layout = re.compile(b"\x03(?:" + b"|".join(map(re.escape, objects)) + b")", re.DOTALL)
        return bool(objects) and layout.search(content) is not None


def _is_external(content: mmap.mmap, match: "re.Match[bytes]") -> bool:
    """Return whether what may be the start of a link is that of one to another file."""
    at = match.end()
    width = 1 << (content[match.start() + 1] & 3)
    length = int.from_bytes(content[at : at + width], "little")
    at += width
    name = content[at : at + min(length, 2**16)]
    at += length
    size = int.from_bytes(content[at : at + 2], "little")
    flags, _, path = content[at + 2 : at + 2 + size].partition(b"\x00")
    file_name = path.partition(b"\x00")[0]
    return flags == b"" and _is_text(name) and _is_text(file_name)


def _is_text(name: bytes) -> bool:
    try:
        return name.decode().isprintable() and name != b""
    except UnicodeDecodeError:
        return False

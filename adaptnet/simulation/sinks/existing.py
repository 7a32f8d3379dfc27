"""What is at the path of a run already: its file, finished, or its working folder."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adaptnet.files import reading, storage
from adaptnet.files.locks import Lock
from adaptnet.files.paths import require_folder
from adaptnet.files.provenance import differences
from adaptnet.simulation.sinks.folder import Folder

_log = logging.getLogger(__name__)


def stored_seed(target: Path) -> np.random.SeedSequence | None:
    """Return the seed of the finished or unfinished run at `target`, None if there is neither."""
    if target.is_file():
        stored: Mapping[str, Any] = reading.attributes(target)
    else:
        try:
            stored = Folder(target).description()
        except FileNotFoundError:
            return None
    return storage.seed(stored, str(target))


def is_finished(target: Path, wanted: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Return whether the run `wanted` is at `target`, whole.

    Raises
    ------
    FileExistsError
        If something else is there and `overwrite` is false.
    ValueError
        If a damaged file is there and `overwrite` is false.
    """
    require_folder(target)
    if overwrite or not target.exists():
        return False
    differing = differences(reading.attributes(target), wanted, software=False)
    if differing:
        raise FileExistsError(refusal(f"{target} holds a run of other parameters", differing))
    _log.info("%s is finished and is not run again", target)
    _discard_finished(target, wanted)
    return True


def _discard_finished(target: Path, wanted: Mapping[str, Any]) -> None:
    """Remove what is left of a run that was stopped after its file had got its name."""
    folder = Folder(target)
    if not folder.path.is_dir():
        return
    lock = Lock(folder.path)
    try:
        kept = folder.description()
        if differences(kept, wanted, software=False):
            _log.warning("%s holds an unfinished run of other parameters; it is kept", folder.path)
        else:
            folder.discard()
    except FileNotFoundError:
        folder.discard()
    except ValueError as error:
        _log.warning("%s; its folder is kept", error)
    finally:
        lock.release()


def progress_made(target: Path) -> tuple[dict[str, Any], dict[int, int]] | None:
    """Return what an unfinished run is, and samples processed by replicates that have begun.

    None if there is no unfinished run at `target`.
    """
    folder = Folder(target)
    try:
        return folder.description(), folder.processed()
    except FileNotFoundError:
        return None


def refusal(problem: str, differing: Sequence[str]) -> str:
    """Return why a run is not replaced, with a line per difference."""
    return "\n    ".join(
        [
            f"{problem}; choose another name, give the same parameters, or replace it on purpose "
            "with overwrite=True:",
            *differing,
        ]
    )

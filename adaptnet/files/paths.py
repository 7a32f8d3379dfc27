"""Names of files, and whether they may be written."""

import errno
import os
import stat
from pathlib import Path


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return the file that `path` leads to now: absolute, and links followed."""
    return Path(os.path.realpath(path))


def working_folder(target: Path) -> Path:
    """Return where an unfinished run is kept."""
    return target.with_name(f"{target.name}.partial")


def require_folder(path: Path) -> None:
    """Raise unless `path` can be a file: its folder is there, and nothing but a file has its name.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    OSError
        If a folder, device or pipe has its name, or the name is too long.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of {path} does not exist; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is a device or a pipe, expected a file or a new name")
    longest = max(path.name, working_folder(path).name, key=lambda name: len(os.fsencode(name)))
    try:
        os.lstat(path.with_name(longest))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise OSError(errno.ENAMETOOLONG, f"the name of {path} is too long") from None


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise unless `path` may be written: its folder is there and nothing would be lost."""
    require_folder(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists and would be lost; choose another name, or overwrite it on purpose "
            "with overwrite=True"
        )


def require_replaceable(path: Path) -> None:
    """Raise if a file is another user's in a folder where everybody may change only their own.

    Raises
    ------
    PermissionError
        If so.
    """
    if not (hasattr(os, "geteuid") and path.exists()):
        return
    folder, user = path.parent.stat(), os.geteuid()
    sticky = folder.st_mode & stat.S_ISVTX
    if sticky and user not in (0, folder.st_uid, path.stat().st_uid):
        raise PermissionError(f"{path} is another user's and cannot be replaced in its folder")

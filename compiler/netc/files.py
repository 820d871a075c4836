"""Reading a spec and replacing a file in one step, with every failure said in one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class FileError(Exception):
    """A file that cannot be read or written; the message names it and says why."""


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, line ends as they are. Raises FileError."""
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {path}: {_reason(error)}") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data.count(0) * 4 > len(data):
        raise FileError(f"cannot read {path}: not UTF-8, it looks like UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x} in line {line}"
        raise FileError(f"cannot read {path}: not UTF-8, {byte}; save it as UTF-8") from error


def read_start(path: str | Path, count: int) -> bytes:
    """The first bytes of a file. Raises FileError."""
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {path}: {_reason(error)}") from error


def real_path(path: str) -> str:
    """What two names of one file share."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


def files_below(folder: str, ending: str) -> list[str]:
    """The files with this ending in a folder and in those below, sorted; hidden ones are left out. Raises FileError."""

    def fail(error: OSError) -> None:
        raise FileError(f"cannot read {error.filename}: {_reason(error)}") from error

    found = []
    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.normpath(os.path.join(place, name)) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.endswith(ending))


def write_text(path: str | Path, text: str) -> None:
    """Write through a temporary file in the same folder, so that no reader ever sees half of it. Raises FileError.

    A link is followed, an existing file keeps its permissions; what is no regular file (`/dev/null`) is written to.
    """
    try:
        target = Path(path).resolve()
        if target.is_dir():
            raise IsADirectoryError(None, "is a directory")
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text, mode)
    except (OSError, ValueError) as error:
        raise FileError(f"cannot write {path}: {_reason(error)}") from error


def _replace(target: Path, text: str, mode: int | None) -> None:
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(fresh, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            fresh.chmod(mode)
        fresh.replace(target)
    except FileExistsError:
        raise OSError(None, f"{fresh.name} is in the way") from None
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _reason(error: OSError | ValueError) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said[:1].lower() + said[1:]

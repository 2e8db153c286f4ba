"""A folder as a zip file whose bytes depend on names and contents of the files alone."""

import hashlib
import os
import time
import zipfile
from pathlib import Path

EARLIEST = 315532800
"""Seconds from 1970 to 1980, when the time of zip files begins."""
MODE = 0o100644 << 16
UNIX = 3


def write(folder: Path, target: Path) -> None:
    """Entries in the order of their names, of one date and mode.

    ``SOURCE_DATE_EPOCH`` sets the date (reproducible-builds.org); without it all are of 1980.
    """
    date = moment()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in files(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = MODE
            entry.create_system = UNIX
            archive.writestr(entry, file.read_bytes())


def moment() -> time.struct_time:
    """The date of everything in the package, in UTC."""
    return time.gmtime(max(EARLIEST, int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST))))


def files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def contents(folder: Path) -> str:
    """SHA-256 of all names and contents: the same whatever compressed the archive."""
    total = hashlib.sha256()
    for file in files(folder):
        name = file.relative_to(folder).as_posix()
        total.update(f"{sha256(file)}  {name}\n".encode())
    return total.hexdigest()


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()

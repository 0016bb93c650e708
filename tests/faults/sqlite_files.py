"""The file calls of SQLite in the hands of a test: a VFS written in Python, under the driver that the product uses.

apsw lets a VFS be written in Python, for the SQLite that it carries. A VFS is a C structure of functions whose layout has been the
same since SQLite 3.7.6, so it can be handed to another SQLite of the same process: the one behind Python's `sqlite3`. Then the
product's engine, driver, pragmas and statements run unchanged, and only their file calls pass through here.
What the calls do on the real file system is done by apsw's own `unix` VFS.
"""

from __future__ import annotations

import _sqlite3
import ctypes
from pathlib import Path

import apsw

_FUNCTIONS = (
    *(
        "xOpen",
        "xDelete",
        "xAccess",
        "xFullPathname",
        "xDlOpen",
        "xDlError",
        "xDlSym",
        "xDlClose",
        "xRandomness",
        "xSleep",
    ),
    *("xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall"),
)


class VfsStructure(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("zName", ctypes.c_char_p),
        ("pAppData", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in _FUNCTIONS),
    )


_kept: list[
    object
] = []  # SQLite keeps addresses of structures and of what they point to for as long as the process lives


def lend(vfs: apsw.VFS, name: str, *, is_default: bool = False) -> None:
    """Give a VFS of apsw to the SQLite behind `sqlite3`, for the rest of the process.

    Args:
        name: under which it was made.
        is_default: every connection opened from now on uses it; else only those that ask for it (`database_url`).

    Raises:
        RuntimeError: that SQLite does not take it.
    """
    details = next(one for one in apsw.vfs_details() if one["zName"] == name)
    register(VfsStructure(**{**details, "zName": name.encode()}), vfs, is_default=is_default)


def register(structure: VfsStructure, owner: object, *, is_default: bool = False) -> None:
    """Give a structure to the SQLite behind `sqlite3`; it and its owner are kept for the rest of the process. Raises as `lend`."""
    _kept.append((structure, owner))
    code = product_sqlite().sqlite3_vfs_register(ctypes.byref(structure), int(is_default))
    if code != 0:
        raise RuntimeError(f"SQLite did not take a VFS: {code}")


def product_sqlite() -> ctypes.CDLL:
    """The SQLite that the product uses: a symbol is looked up in what Python's module is linked with."""
    return ctypes.CDLL(_sqlite3.__file__)


def database_url(file: Path, vfs_name: str) -> str:
    """The address of a database whose file calls go through this VFS."""
    return f"sqlite:///file:{file}?vfs={vfs_name}&uri=true"


def path_of(name: str | apsw.URIFilename | None) -> Path | None:
    """The path that a VFS is asked to open; None for a temporary file without a name."""
    text = name.filename() if isinstance(name, apsw.URIFilename) else name
    return None if text is None else Path(text)

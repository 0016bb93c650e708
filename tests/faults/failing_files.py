"""File calls of SQLite that fail: between the product's SQLite and its own `unix` VFS, at any call that a test names.

A call that fails answers with the code that SQLite's own VFS has for it. That is why this one is made of C functions and not with
apsw, whose failures are Python exceptions that the driver would stumble over.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from tests.faults.sqlite_files import VfsStructure, product_sqlite, register

_INT, _LONG, _POINTER = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
_FULL = 13
_UNLOCK = 1
_CALLS: dict[str, tuple[int, tuple[Any, ...]]] = {
    "xRead": (266, (_POINTER, _POINTER, _INT, _LONG)),
    "xWrite": (778, (_POINTER, _POINTER, _INT, _LONG)),
    "xTruncate": (1546, (_POINTER, _LONG)),
    "xSync": (1034, (_POINTER, _INT)),
    "xFileSize": (1802, (_POINTER, _POINTER)),
    "xLock": (3850, (_POINTER, _INT)),
    "xShmMap": (5386, (_POINTER, _INT, _INT, _INT, _POINTER)),
    "xShmLock": (5130, (_POINTER, _INT, _INT, _INT)),
    "xOpen": (14, (_POINTER, _POINTER, _POINTER, _INT, _POINTER)),
    "xDelete": (2570, (_POINTER, _POINTER, _INT)),
    "xAccess": (3338, (_POINTER, _POINTER, _INT, _POINTER)),
}
"""For each call the code of its failure, and what it takes."""


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (
        ("iVersion", _INT),
        *(
            (name, _POINTER)
            for name in ("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock")
        ),
        *((name, _POINTER) for name in ("xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics")),
        *((name, _POINTER) for name in ("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")),
    )


_OnFile = ctypes.POINTER(ctypes.POINTER(_Methods))


class FailingFiles:
    """A VFS of this name that fails at one call; made once for a process.

    Attributes:
        failed: which call it was; empty while none failed.
    """

    def __init__(self, name: str) -> None:
        self.failed = ""
        self._at = self._passed = 0
        self._tables: dict[int, _Methods] = {}
        self._kept: list[object] = []  # C code holds their addresses
        sqlite = product_sqlite()
        sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(VfsStructure)
        self._vfs = VfsStructure.from_buffer_copy(sqlite.sqlite3_vfs_find(b"unix").contents)
        self._vfs.zName, self._vfs.pNext = name.encode(), None
        for call in ("xDelete", "xAccess"):
            self._put(self._vfs, call)
        self._put(self._vfs, "xOpen", after=self._take_file)
        register(self._vfs, self)

    def fail_at(self, number: int) -> None:
        """Fail at so many calls from now, 1 for the next one; 0 for never."""
        self._at, self._passed, self.failed = number, 0, ""

    def _put(self, table: ctypes.Structure, call: str, *, after: Callable[..., None] | None = None) -> None:
        """Have a function of the table count its calls and fail at the one that is named."""
        code, takes = _CALLS[call]
        kind = ctypes.CFUNCTYPE(_INT, *takes)
        original = kind(getattr(table, call))

        def watched(*given: Any) -> int:  # noqa: ANN401 - as C gives it
            if not _gives_back(call, given) and self._is_struck(call):
                return self._failure(call, code, original, given)
            result = int(original(*given))
            if result == 0 and after is not None:
                after(*given)
            return result

        function = kind(watched)
        self._kept.append((original, function))
        setattr(table, call, ctypes.cast(function, _POINTER).value)

    def _is_struck(self, call: str) -> bool:
        self._passed += 1
        if self._passed == self._at:
            self.failed = call
            return True
        return False

    def _failure(self, call: str, code: int, original: Callable[..., int], given: tuple[Any, ...]) -> int:
        if call == "xOpen":
            ctypes.cast(given[2], ctypes.POINTER(_POINTER))[0] = None  # nothing to close
        if call != "xWrite":
            return code
        file, content, size_bytes, offset = given
        original(file, content, size_bytes // 2, offset)  # a disk gets full in the middle of a write
        return code if self._at % 2 else _FULL

    def _take_file(self, _vfs: int, _name: int, file: int, _flags: int, _out: int) -> None:
        """A file was opened: its functions count from now on."""
        methods = ctypes.cast(file, _OnFile)
        address = ctypes.addressof(methods[0].contents)
        if address not in self._tables:
            table = _Methods.from_buffer_copy(methods[0].contents)
            for call in ("xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xShmMap", "xShmLock"):
                if getattr(table, call):  # the log has no memory to share
                    self._put(table, call)
            self._tables[address] = table
        methods[0] = ctypes.pointer(self._tables[address])


def _gives_back(call: str, given: tuple[Any, ...]) -> bool:
    """Whether a lock is let go, which no disk can refuse."""
    return call == "xShmLock" and bool(given[3] & _UNLOCK)

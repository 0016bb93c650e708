"""Disks without room, and the product on them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from leadgate.testing.gateway import Gateway

ROOM_BYTES = 1_500_000
"""What is left at first, beside what the prepared salon takes."""

_MOUNT = 'mount -t tmpfs -o size=8m,mode=0700 tmpfs "$1" && echo mounted && exec cat'
_WAYS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("unshare", "--mount"), ("--mount",)),
    (("unshare", "--map-root-user", "--mount"), ("--user", "--mount", "--preserve-credentials")),
)
"""How to get a place of one's own to mount in, and how others enter it: first as root, then as anybody."""


class Disk(Protocol):
    """What a test needs of a disk.

    Attributes:
        folder: where it is, for the processes of `HousedGateway`.
        outside: the same folder for the test itself.
        entrance: a command before every process that uses it.
    """

    folder: Path
    outside: Path
    entrance: Sequence[str]

    def narrow(self, process_id: int) -> None:
        """Leave a little room."""
        ...

    def fill(self, process_id: int) -> None:
        """Leave no room."""
        ...

    def clear(self, process_id: int) -> None:
        """Make room again."""
        ...


class SmallDisk:
    """A tmpfs of 8 MB, with ballast that somebody else put there."""

    def __init__(self, folder: Path, holder_id: int, enter: Sequence[str]) -> None:
        self.folder = folder
        self.outside = Path(f"/proc/{holder_id}/root{folder}")
        self.entrance: Sequence[str] = ("nsenter", "--target", str(holder_id), *enter)
        self._ballast = self.outside / "ballast"

    def narrow(self, process_id: int) -> None:
        left = os.statvfs(self.outside)
        self._ballast.write_bytes(bytes(left.f_bavail * left.f_frsize - ROOM_BYTES))

    def fill(self, process_id: int) -> None:
        with self._ballast.open("ab", buffering=0) as ballast:
            for piece_bytes in (65536, 4096, 1):
                while _write(ballast.fileno(), piece_bytes):
                    pass

    def clear(self, process_id: int) -> None:
        self._ballast.unlink()


class LimitedFiles:
    """No file of the process may grow beyond a size (`RLIMIT_FSIZE`): writes fail in another way than on a full disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = self.outside = folder
        self.entrance: Sequence[str] = ()

    def narrow(self, process_id: int) -> None:
        self._limit(process_id, ROOM_BYTES)

    def fill(self, process_id: int) -> None:
        self._limit(process_id, 0)

    def clear(self, process_id: int) -> None:
        self._limit(process_id, resource.RLIM_INFINITY)

    def _limit(self, process_id: int, size_bytes: int) -> None:
        _, hard = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size_bytes, hard))


class HousedGateway(Gateway):
    """A gateway all of whose processes find the disk where it is mounted."""

    def __init__(self, data: Path, disk: Disk, *, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(data, environment=environment)
        self._disk = disk

    async def _spawn(self, arguments: Sequence[str], *, stdin: int) -> asyncio.subprocess.Process:
        return await super()._spawn((*self._disk.entrance, *arguments), stdin=stdin)


@contextlib.asynccontextmanager
async def open_small_disk(folder: Path) -> AsyncIterator[SmallDisk]:
    """Mount a tmpfs of 8 MB for as long as the context lasts; a machine that has no way to do so fails the test."""
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    said = ""
    for make, enter in _WAYS:
        holder = await asyncio.create_subprocess_exec(
            *(*make, "sh", "-c", _MOUNT, "sh", str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            first = (await holder.stdout.readline()).decode()
            if first == "mounted\n":
                yield SmallDisk(folder, holder.pid, enter)
                return
            said += first
        finally:
            holder.stdin.close()  # `cat` ends, and with the last process the mount
            await holder.wait()
    pytest.fail(f"no tmpfs can be mounted here; run as root, or allow user namespaces: {said}", pytrace=False)


@contextlib.asynccontextmanager
async def open_limited_files(folder: Path) -> AsyncIterator[LimitedFiles]:
    """As `open_small_disk`."""
    yield LimitedFiles(folder)


def _write(file: int, size_bytes: int) -> bool:
    try:
        return os.write(file, bytes(size_bytes)) > 0
    except OSError:
        return False

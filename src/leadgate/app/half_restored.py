"""The mark of a restore that was cut off between the old state and the new one: nothing works on such a directory but a restore."""

from __future__ import annotations

from pathlib import Path

from leadgate.errors import ConfigurationError
from leadgate.vault.key_file import sync_folder, write_durably

MARK = "restore-unfinished"


def is_half_restored(data: Path) -> bool:
    """True from before the first file changes its place until the last one has."""
    return (data / MARK).exists()


def check_whole(data: Path) -> None:
    """Let nobody work on half a restore.

    Raises:
        ConfigurationError: a restore was cut off here.
    """
    if is_half_restored(data):
        raise ConfigurationError(
            "A restore of this data directory was cut off.",
            code="backup.half_restored",
            hint="Run leadgate backup restore FILE again: it does everything anew and changes nothing that was erased.",
        )


def mark(data: Path) -> None:
    """From here on only the new state counts. A second call is harmless."""
    if not is_half_restored(data):
        write_durably(data / MARK, b"")


def unmark(data: Path) -> None:
    """The new state stands."""
    (data / MARK).unlink(missing_ok=True)
    sync_folder(data)

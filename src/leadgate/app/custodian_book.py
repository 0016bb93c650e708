"""Which custodians a data directory knows: the key file, and the file with the settings of others.

`key-custodians.json`, mode 0600, holds addresses and the tokens that open a custodian's door; the key itself is never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from leadgate import registry
from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock
from leadgate.ports.custodian import Custodian
from leadgate.vault.custodians import Custodians
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import KEY_FILE, replace_durably

BOOK = "key-custodians.json"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one custodian is reached."""

    settings: dict[str, str]
    secrets: dict[str, str]


def open_custodians(data: Path, passphrase_file: Path | None, clock: Clock) -> Custodians:
    """Every custodian that the directory knows; the key file first.

    Raises:
        ConfigurationError: there is none, or one of them cannot be opened.
        UnknownKeyError: the passphrase does not open the key file.
    """
    entries = _read(data)
    members: list[Custodian] = []
    if not entries or (data / KEY_FILE).exists():
        members.append(FileCustodian(data, passphrase_file))
    members += [open_member(kind, entry) for kind, entry in entries.items()]
    return Custodians(members, clock)


def open_member(kind: str, entry: Entry) -> Custodian:
    """One custodian that is no file.

    Raises:
        ConfigurationError: no such kind, or its settings are wrong.
    """
    return registry.custodian(kind, entry.settings, {name: Secret(value) for name, value in entry.secrets.items()})


def is_known(data: Path, kind: str) -> bool:
    """True when the directory knows how this custodian is reached."""
    return kind in _read(data)


def open_known(data: Path, kind: str) -> Custodian:
    """The custodian of this kind that the directory knows; see `is_known`."""
    return open_member(kind, _read(data)[kind])


def keep_entry(data: Path, kind: str, entry: Entry) -> None:
    """Remember how this custodian is reached.

    Raises:
        ConfigurationError: the file cannot be written; what was in it stands.
    """
    try:
        replace_durably(data / BOOK, msgspec.json.format(msgspec.json.encode({**_read(data), kind: entry})) + b"\n")
    except OSError as error:
        raise ConfigurationError(
            f"{BOOK} cannot be written: {error.strerror}.",
            code="custodian.not_written",
            hint="Make room, then try again.",
        ) from error


def _read(data: Path) -> Mapping[str, Entry]:
    path = data / BOOK
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"Others can read {BOOK}.", hint=f"Run: chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Entry])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigurationError(
            f"{BOOK} cannot be read.", code="custodian.book", hint="Put it back from your copy."
        ) from None

"""Settings of the process: from the environment (`LEADGATE_…`) or `leadgate.toml` in the data directory; the environment wins.

Read once, checked once. What a salon changes is not here but in the database.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from leadgate.errors import ConfigurationError

CONFIG_FILE = "leadgate.toml"
DATABASE_FILE = "leadgate.sqlite3"
DEFAULT_DATA = "./leadgate-data"
DEFAULT_LISTEN = "127.0.0.1:8080"
PASSPHRASE_CREDENTIAL = "leadgate-key-passphrase"  # noqa: S105 -- the name of one, not one
"""Name of the credential of systemd that opens the key file."""

_LONGEST_NUMBER = 9


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertThresholds:
    """From when on something is an alarm.

    Attributes:
        interval: between two looks at the house; the first retry of a message that was not taken waits as long.
        down_after: so long a CRM or a channel may fail that cures itself.
        calm: so long a trouble must be gone before its end is told.
        queue_after: so long deliveries may be overdue, and events lie untouched.
        paused_after: so long a paused connection may keep things waiting.
        disk_free_bytes: least space of the data directory's disk.
        backup_after: so old the newest backup may be, once there ever was one.
    """

    interval: timedelta = timedelta(seconds=15)
    down_after: timedelta = timedelta(minutes=5)
    calm: timedelta = timedelta(minutes=2)
    queue_after: timedelta = timedelta(minutes=30)
    paused_after: timedelta = timedelta(hours=1)
    disk_free_bytes: int = 500 << 20
    backup_after: timedelta = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with its documentation in `SETTINGS`.

    Attributes:
        trusted_proxies: machines whose word about the sender's address is believed; empty when there is no proxy, None when
            nobody said, so that the sender's address is not known.
        journal_outside: a folder on another machine or medium that gets the journal's checkpoints; None when there is none.
        key_passphrase_file: what stands there opens a key file that is sealed under a passphrase; None when nobody said.
    """

    data: Path
    database_url: str = field(repr=False)
    listen: Address
    public_url: str | None
    metrics_token: str | None = field(repr=False)
    alerts: AlertThresholds = AlertThresholds()
    trusted_proxies: tuple[Network, ...] | None = None
    journal_outside: Path | None = None
    key_passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as the reference page shows it."""

    name: str
    default: str
    text: str


SETTINGS = (
    Described("LEADGATE_DATA", DEFAULT_DATA, "The data directory (mode 0700). `--data` wins."),
    Described(
        "LEADGATE_DATABASE_URL",
        "SQLite inside the data directory",
        "`postgresql://user:password@host/name` for many nodes. It may hold a password and is never printed.",
    ),
    Described(
        "LEADGATE_LISTEN", DEFAULT_LISTEN, "`host:port` to listen on. `--listen` wins; port 0 lets the system choose."
    ),
    Described(
        "LEADGATE_PUBLIC_URL",
        "not set",
        "Our address as the world sees it, for instance `https://leads.example`. Messengers that must reach us need it.",
    ),
    Described(
        "LEADGATE_TRUSTED_PROXIES",
        "not set",
        "Addresses and ranges of the proxies in front of us, separated by commas, for instance `127.0.0.1`; `none` when the"
        " world reaches us directly. Only then the sender's address is known, and messengers that publish theirs are held to it.",
    ),
    Described(
        "LEADGATE_KEY_CUSTODIAN",
        "file",
        "Who keeps the key encryption key of a new house: `file`. Another one is chosen with `leadgate keys move`.",
    ),
    Described(
        "LEADGATE_KEY_PASSPHRASE_FILE",
        "the credential leadgate-key-passphrase of systemd",
        "A file with the passphrase of the key file, outside the data directory. Needed where the key file is sealed; `init` seals"
        " a new one when it is set.",
    ),
    Described(
        "LEADGATE_JOURNAL_OUTSIDE",
        "not set",
        "A folder on another machine or medium, for instance a mounted share: every hour the audit journal's signed checkpoint is"
        " put there.",
    ),
    Described("LEADGATE_METRICS_TOKEN", "not set", "Bearer token for `/metrics` from elsewhere than this machine."),
    Described("LEADGATE_ALERT_INTERVAL_S", "15", "How often a worker looks for trouble, in seconds."),
    Described("LEADGATE_ALERT_DOWN_S", "300", "An alarm when a CRM or a channel fails for so many seconds."),
    Described("LEADGATE_ALERT_CALM_S", "120", "An alarm is solved when its cause is gone for so many seconds."),
    Described("LEADGATE_ALERT_QUEUE_S", "1800", "An alarm when work is overdue for so many seconds."),
    Described("LEADGATE_ALERT_PAUSED_S", "3600", "An alarm when things wait for a connection that is paused so long."),
    Described("LEADGATE_ALERT_BACKUP_DAYS", "2", "An alarm when the newest backup is so many days old."),
    Described("LEADGATE_ALERT_DISK_MB", "500", "An alarm when the data directory's disk has less free space (MiB)."),
)


def read_settings(
    *,
    data: Path | None = None,
    listen: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Read every setting.

    Args:
        data: from the command line; wins over the environment.
        listen: likewise.
        environment: for tests; default the process's own.

    Raises:
        ConfigurationError: a setting is unknown or wrong; the message names it.
    """
    env = os.environ if environment is None else environment
    folder = data or Path(env.get("LEADGATE_DATA") or DEFAULT_DATA)
    values = _from_file(folder) | {key: value for key, value in env.items() if key.startswith("LEADGATE_") and value}
    custodian = values.get("LEADGATE_KEY_CUSTODIAN", "file")
    if custodian != "file":
        raise ConfigurationError(
            f"LEADGATE_KEY_CUSTODIAN: {custodian!r} is not known.",
            hint="Use `file`; another one is chosen with: leadgate keys move",
        )
    return Settings(
        data=folder,
        database_url=values.get("LEADGATE_DATABASE_URL") or f"sqlite:///{(folder / DATABASE_FILE).absolute()}",
        listen=parse_listen(listen or values.get("LEADGATE_LISTEN") or DEFAULT_LISTEN),
        public_url=_public_url(values.get("LEADGATE_PUBLIC_URL")),
        metrics_token=values.get("LEADGATE_METRICS_TOKEN"),
        alerts=_thresholds(values),
        trusted_proxies=_trusted_proxies(values.get("LEADGATE_TRUSTED_PROXIES")),
        journal_outside=Path(outside) if (outside := values.get("LEADGATE_JOURNAL_OUTSIDE")) else None,
        key_passphrase_file=_passphrase_file(values.get("LEADGATE_KEY_PASSPHRASE_FILE"), env),
    )


def parse_listen(text: str) -> Address:
    """`host:port` as an address.

    Raises:
        ConfigurationError: not of that form, or the port is out of range.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port there is
        raise ConfigurationError("LEADGATE_LISTEN must look like 127.0.0.1:8080.", code="configuration.listen")
    return Address(host, int(port))


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback ranges of IPv4 and IPv6."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _thresholds(values: Mapping[str, str]) -> AlertThresholds:
    usual = AlertThresholds()

    def seconds(name: str, default: timedelta) -> timedelta:
        return timedelta(seconds=_whole(values, name, int(default.total_seconds())))

    return AlertThresholds(
        interval=max(timedelta(seconds=1), seconds("LEADGATE_ALERT_INTERVAL_S", usual.interval)),
        down_after=seconds("LEADGATE_ALERT_DOWN_S", usual.down_after),
        calm=seconds("LEADGATE_ALERT_CALM_S", usual.calm),
        queue_after=seconds("LEADGATE_ALERT_QUEUE_S", usual.queue_after),
        paused_after=seconds("LEADGATE_ALERT_PAUSED_S", usual.paused_after),
        disk_free_bytes=_whole(values, "LEADGATE_ALERT_DISK_MB", usual.disk_free_bytes >> 20) << 20,
        backup_after=timedelta(days=min(_whole(values, "LEADGATE_ALERT_BACKUP_DAYS", usual.backup_after.days), 36500)),
    )


def _whole(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise ConfigurationError(f"{name} must be a whole number.", code="configuration.number")
    return int(text)


def _trusted_proxies(text: str | None) -> tuple[Network, ...] | None:
    if not text:
        return None
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ConfigurationError(
            "LEADGATE_TRUSTED_PROXIES must be addresses or ranges such as 127.0.0.1,10.0.0.0/8, or none.",
            code="configuration.trusted_proxies",
        ) from None


def _passphrase_file(text: str | None, env: Mapping[str, str]) -> Path | None:
    """As said, else the credential that systemd laid out for this service alone (`LoadCredential=`)."""
    if text:
        return Path(text)
    folder = env.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / PASSPHRASE_CREDENTIAL if folder else None
    return credential if credential is not None and credential.exists() else None


def _public_url(text: str | None) -> str | None:
    if not text:
        return None
    if not _is_public_url(text.rstrip("/")):
        raise ConfigurationError(
            "LEADGATE_PUBLIC_URL must look like https://leads.example, without a password or query.",
            code="configuration.public_url",
        )
    return text.rstrip("/")


def _is_public_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        _ = url.port  # raises when it is out of range
    except ValueError:
        return False
    is_plain_ok = url.scheme == "http" and is_loopback(url.hostname or "")
    is_bare = not (url.query or url.fragment or url.username or url.password)
    return bool(url.hostname) and is_bare and (url.scheme == "https" or is_plain_ok)


def _from_file(folder: Path) -> dict[str, str]:
    """`leadgate.toml`: the same names in lower case without the prefix, for instance `listen = "0.0.0.0:8080"`."""
    path = folder / CONFIG_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{CONFIG_FILE} cannot be read: {type(error).__name__}.", hint=f"Look at {path}."
        ) from None
    known = {described.name.removeprefix("LEADGATE_").lower() for described in SETTINGS} - {"data"}
    for name, value in content.items():
        if name not in known or not isinstance(value, str):
            raise ConfigurationError(
                f"{CONFIG_FILE}: `{name}` is not a setting or no text.", hint=f"It knows: {', '.join(sorted(known))}."
            )
    return {f"LEADGATE_{name.upper()}": str(value) for name, value in content.items()}

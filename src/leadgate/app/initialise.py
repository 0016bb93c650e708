"""Making a data directory: folder, key file, database, workspace, and the owner's one-time address."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadgate.catalogue.texts import LOCALES
from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import Transaction, Workspace
from leadgate.settings import Settings
from leadgate.staff.people import invite, new_owner
from leadgate.storage.engines import make_engine
from leadgate.storage.upgrade import upgrade
from leadgate.storage.workspaces import add_workspace, find_workspace
from leadgate.vault.envelope import INDEX, INTAKE, SECRETS, Vault
from leadgate.vault.key_file import KEY_FILE, create_key_file, new_recovery_key, open_key_file


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made; both parts are None when everything was there already.

    Attributes:
        setup_token: last part of the one-time address at which the owner sets a password.
        recovery_key: to keep on paper; shown this once and stored nowhere.
    """

    setup_token: Secret | None
    recovery_key: Secret | None

    @property
    def is_new(self) -> bool:
        """True when something was made."""
        return self.setup_token is not None


def initialise(
    settings: Settings, *, name: str, locale: str, time_zone: str, clock: Clock, ids: IdSource
) -> Initialised:
    """Make what is missing; a second call changes nothing. A call that was cut off in the middle is finished by the next.

    Raises:
        ConfigurationError: a name, locale or zone that is none, or a folder that cannot be made.
        ServiceUnavailableError: the database cannot be reached.
    """
    _check(name, locale, time_zone)
    _make_folder(settings.data)
    engine = make_engine(settings.database_url)
    try:
        upgrade(engine)
        _protect(settings.data)
        if find_workspace(engine) is not None:
            open_key_file(settings.data)
            return Initialised(None, None)
        # A key file without a workspace is left over from a call that was cut off: nothing is sealed with it yet.
        has_key = (settings.data / KEY_FILE).exists()
        wrapper = open_key_file(settings.data) if has_key else create_key_file(settings.data)
        now, recovery_key, token = clock.now(), new_recovery_key(os.urandom(30)), ids.token()
        workspace = Workspace(
            workspace_id=ids.new("ws"),
            name=" ".join(name.split()),
            locale=locale,
            time_zone=time_zone,
            created_at=now,
        )
        vault = Vault(wrapper, clock)

        def furnish(tx: Transaction) -> None:
            for scope in (INTAKE, SECRETS, INDEX):
                vault.create_scope(tx, scope)
            invite(tx, new_owner(workspace.workspace_id, ids, at=now), token, at=now)

        add_workspace(engine, workspace, sealed_recovery=wrapper.seal_for_recovery(recovery_key), furnish=furnish)
        return Initialised(Secret(token), Secret(recovery_key))
    finally:
        engine.dispose()


def _check(name: str, locale: str, time_zone: str) -> None:
    if not name.strip() or len(name) > 80:  # noqa: PLR2004 - as the pages can show it
        raise ConfigurationError("--workspace-name needs 1 to 80 characters.")
    if locale not in LOCALES:
        raise ConfigurationError(f"--locale is one of {', '.join(LOCALES)}.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"--time-zone: there is no zone {time_zone!r}.", hint="Try Europe/Moscow.") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory cannot be made: {error.strerror}.", hint="Choose another one with --data."
        ) from None


def _protect(folder: Path) -> None:
    """Nobody else reads what lies in the data directory, whatever the umask was."""
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(0o600)

"""`leadgate backup`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, read_secrets, run_async, with_app
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from leadgate.app import App
    from leadgate.app.backup import BackupMade
    from leadgate.app.restore import Contents
    from leadgate.model.views import Reconciliation

SecretsFile = Annotated[
    str | None,
    Parameter(help='JSON with "recovery_key", the key on paper; `-` reads standard input.', allow_leading_hyphen=True),
]


def create(file: Path, /, *, common: Common = NO_OPTIONS) -> int:
    """Write one encrypted backup file while the gateway works.

    It holds the database as of one moment and the files of the data directory besides it. It opens with the key file of this
    directory, or with the recovery key on paper alone. An older backup of the same name is replaced when the new one is whole.

    Example: leadgate backup create /mnt/backup/leadgate.backup
    """
    from leadgate.app.keeping import keep_backup

    async def work(app: App) -> BackupMade:
        return await keep_backup(app, file, by=BY_COMMAND)

    made = with_app(common, work)
    if common.json:
        print_json(
            {
                "file": str(made.file),
                "created_at": made.created_at,
                "size_bytes": made.size_bytes,
                "sha256": made.sha256,
                "rows": made.rows,
                "files": made.files,
            }
        )
    else:
        print_lines(
            f"Made {made.file}: {_size(made.size_bytes)}, {sum(made.rows.values())} rows, {len(made.files)} files.",
            f"SHA-256 {made.sha256}",
        )
    return 0


def verify(file: Path, /, *, secrets_file: SecretsFile = None, common: Common = NO_OPTIONS) -> int:
    """Prove that a backup is whole and can be restored: every byte, every row, every key. Nothing is changed.

    Exit code 1 when it was changed or cut, 2 when it was made under another key.

    Example: leadgate backup verify /mnt/backup/leadgate.backup
    """
    from leadgate.app.backup import digest_of
    from leadgate.app.restore import verify_backup
    from leadgate.system import SystemClock

    settings = common.settings()
    found = verify_backup(
        file,
        settings.data,
        read_secrets(secrets_file),
        clock=SystemClock(),
        passphrase_file=settings.key_passphrase_file,
    )
    if common.json:
        print_json({"file": str(file), "whole": True, **_document(found), "sha256": digest_of(file)})
    else:
        print_lines(
            f"{file} is whole: «{found.begin.workspace_name}», {_time(found)}, {sum(found.rows.values())} rows,"
            f" {len(found.files)} files, {found.keys} keys that open."
        )
    return 0


def restore(
    file: Path,
    /,
    *,
    yes: Annotated[bool, Parameter(negative=(), help="Replace what stands in the data directory.")] = False,
    sweep: Annotated[
        bool, Parameter(name="--sweep", negative="--no-sweep", help="Ask the CRM what happened since the backup.")
    ] = True,
    secrets_file: SecretsFile = None,
    erased_list: Annotated[
        Path | None, Parameter(help="A further list of erased people (erased.jsonl of a lost directory).")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Put a backup back into an empty data directory, or with --yes in the place of a stopped one.

    Everybody who was erased since is erased again. Then the CRM is asked what happened since the backup; until that is done nothing
    is sent. Where the CRM cannot be asked (exit code 3), or with --no-sweep, `leadgate run` asks it before it begins to work.
    A restore that was cut off is finished by the same command.

    Example: leadgate backup restore /mnt/backup/leadgate.backup --data /var/lib/leadgate
    """
    from leadgate.app.restore import Wishes, restore_backup
    from leadgate.observability import silence_logs
    from leadgate.system import SystemClock

    silence_logs()
    settings = common.settings()
    wishes = Wishes(may_replace=yes, secrets=read_secrets(secrets_file), erased=erased_list)
    found = run_async(restore_backup(file, settings, wishes, clock=SystemClock()))
    result, unreachable = (None, None) if not sweep else _sweep(common)
    _show_restored(found, result, settings.data, as_json=common.json)
    if unreachable is not None:
        raise unreachable
    return 0


def _sweep(common: Common) -> tuple[Reconciliation | None, ServiceUnavailableError | None]:
    async def work(app: App) -> Reconciliation | None:
        return await app.reopening.sweep()

    try:
        return with_app(common, work), None
    except ServiceUnavailableError as error:
        return None, ServiceUnavailableError(
            "The backup was restored, but the CRM could not be asked what happened since.",
            code="backup.not_swept",
            hint=f"Start with leadgate run: it asks again and begins to send only then. ({error.code})",
        )


def _show_restored(found: Contents, result: Reconciliation | None, data: Path, *, as_json: bool) -> None:
    swept = None if result is None else {"differences": len(result.differences), "strangers": result.strangers}
    if as_json:
        extra = {"erased_again": found.erased_again, "doubtful": found.doubtful, "data": str(data), "swept": swept}
        print_json({"restored": True, **_document(found), **extra})
        return
    print_lines(
        f"Restored {data} as of {_time(found)}: {sum(found.rows.values())} rows, {len(found.files)} files.",
        f"Erased again: {found.erased_again} ids. In doubt and looked up before they are sent: {found.doubtful} deliveries.",
    )
    if result is not None:
        print_lines(
            f"The CRM was asked: {result.strangers} leads came after the backup; leadgate reconcile names them."
            if result.strangers
            else "The CRM was asked: no lead there came after the backup."
        )


def _document(found: Contents) -> dict[str, Any]:
    begin = found.begin
    return {
        "created_at": begin.created_at,
        "version": begin.version,
        "workspace": begin.workspace_id,
        "workspace_name": begin.workspace_name,
        "migration": begin.migration,
        "engine": begin.engine,
        "rows": found.rows,
        "files": found.files,
        "keys": found.keys,
    }


def _time(found: Contents) -> str:
    return f"{datetime.fromisoformat(found.begin.created_at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"

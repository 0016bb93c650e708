"""`leadgate parse KIND FILE…`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from leadgate import registry
from leadgate.cli.options import NO_OPTIONS, Common, read_pairs, read_secrets
from leadgate.errors import ConfigurationError
from leadgate.intake.normalised import parse_bodies
from leadgate.model.connections import Connection, ConnectionState, OpenConnection


def parse(
    kind: Annotated[str, Parameter(help="Kind of the channel, for instance telegram.")],
    files: Annotated[list[Path], Parameter(help="Files with one raw webhook body each.")],
    /,
    *,
    setting: Annotated[list[str] | None, Parameter(help="key=value; may be repeated.", negative=())] = None,
    secrets_file: Annotated[
        str | None, Parameter(help="JSON file of secrets, or - for standard input.", allow_leading_hyphen=True)
    ] = None,
    common: Common = NO_OPTIONS,  # noqa: ARG001 -- every command takes these; the output is JSON lines anyway
) -> int:
    """Normalise raw webhook bodies and store nothing: one JSON line per event, in order. Needs no data directory.

    Example: leadgate parse telegram update.json
    """
    receiver = registry.get(kind).receiver
    if receiver is None:
        raise ConfigurationError(f"{kind} posts no webhooks that could be parsed.")
    secrets = {name: (value,) for name, value in read_secrets(secrets_file).items()}
    opened = OpenConnection(_stand_in(kind, read_pairs(setting)), secrets)
    for document in parse_bodies(receiver, (_read(file) for file in files), opened):
        print(json.dumps(document, ensure_ascii=False), flush=True)
    return 0


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None


def _stand_in(kind: str, settings: object) -> Connection:
    return Connection(
        workspace_id="",
        connection_id="conn_parse",
        kind=kind,
        name=kind,
        settings=settings if isinstance(settings, dict) else {},
        state=ConnectionState.ACTIVE,
        created_at=datetime.fromtimestamp(0, UTC),
    )

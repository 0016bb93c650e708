"""`leadgate sign`: an example that signs itself."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common, run_async, with_app
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConfigurationError, NotFoundError, ServiceUnavailableError
from leadgate.intake.signatures import sign_standard
from leadgate.model.secret import Secret
from leadgate.system import SystemClock, SystemIds

if TYPE_CHECKING:
    from leadgate.app import App

_TIMEOUT_S = 10.0


def sign(
    file: Annotated[str, Parameter(help="The JSON body, or - for standard input.")],
    /,
    *,
    connection: Annotated[str, Parameter(help="Id of the bot connection, conn_….")],
    send: Annotated[str | None, Parameter(help="Send it to the gateway at this address.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Sign a lead as a bot builder would (Standard Webhooks) and print it as a curl command, or send it.

    Example: leadgate sign lead.json --connection conn_01JD… --send http://127.0.0.1:8080
    """
    body = _read(file)
    secret = with_app(common, lambda app: _secret(app, connection))
    signature = sign_standard(body, secret=secret.reveal(), webhook_id=SystemIds().new("msg"), at=SystemClock().now())
    headers = {"content-type": "application/json", **signature}
    path = f"/webhooks/bot/{connection}"
    if send is not None:
        return run_async(_send(send.rstrip("/") + path, body, headers, common))
    if common.json:
        print_json({"path": path, "headers": headers, "body": body.decode(errors="replace")})
    else:
        options = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
        print_lines(f"curl -sS {options} --data-binary {shlex.quote(body.decode(errors='replace'))} HOST{path}")
    return 0


async def _secret(app: App, connection_id: str) -> Secret:
    opened = app.book.find(connection_id)
    secret = None if opened is None else opened.secret("signing_secret")
    if secret is None:
        raise NotFoundError(
            f"There is no bot connection {connection_id}.", hint="Make one with: leadgate connect bot --name NAME"
        )
    return secret


async def _send(url: str, body: bytes, headers: dict[str, str], common: Common) -> int:
    import httpx

    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
            answer = await client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise ServiceUnavailableError(
            "The gateway does not answer there.", hint="Start it with: leadgate run, and check the address."
        ) from None
    if common.json:
        print_json({"status": answer.status_code, "answer": answer.text})
    else:
        print_lines(f"{answer.status_code} {answer.text}")
    return 0 if answer.is_success else 1


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None

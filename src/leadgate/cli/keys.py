"""`leadgate keys …`: the key encryption key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, read_secrets, with_app
from leadgate.cli.output import print_json, print_lines, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.keys import KeyStatus
from leadgate.model.secret import Secret
from leadgate.web.api.documents.keys import keys_document
from leadgate.web.api.documents.plain import plain

if TYPE_CHECKING:
    from leadgate.app import App

SecretsFile = Annotated[
    str | None, Parameter(help="JSON object of secrets; `-` reads standard input.", allow_leading_hyphen=True)
]


def status(*, common: Common = NO_OPTIONS) -> int:
    """Which key wraps, how many data keys there are, and when the next rotation is due.

    Example: leadgate keys status
    """
    _show(with_app(common, lambda app: app.keys.status()), as_json=common.json)
    return 0


def rotate(
    *,
    wait: Annotated[
        bool, Parameter(negative=(), help="Come back only when every data key is wrapped by the new key.")
    ] = False,
    secrets_file: SecretsFile = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Wrap with a new key from now on. Nothing stops, and what clients wrote is not sealed anew.

    The data keys are wrapped anew in the background by a running gateway, or by the next one that starts; a kill loses nothing.
    A due rotation comes by itself. Data of an old version needs the recovery key on paper once: {"recovery_key": "…"}.

    Example: leadgate keys rotate --wait
    """
    recovery_key = read_secrets(secrets_file).get("recovery_key")

    async def work(app: App) -> KeyStatus:
        made = await app.keys.rotate(by=BY_COMMAND, recovery_key=recovery_key)
        if wait:
            await app.key_keeper.rewrap()
            return await app.keys.status()
        return made

    _show(with_app(common, work), as_json=common.json)
    return 0


def protect(
    *,
    off: Annotated[bool, Parameter(negative=(), help="Keep the key file in clear again.")] = False,
    secrets_file: SecretsFile = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Seal the key file under a passphrase (argon2id), so that the data directory alone opens nothing.

    The secrets file holds {"passphrase": "…"}, at least 12 characters. From then on every process reads it from the file that
    LEADGATE_KEY_PASSPHRASE_FILE names, or from the credential leadgate-key-passphrase of systemd. A running gateway goes on.

    Example: leadgate keys protect --secrets-file passphrase.json
    """
    passphrase = _passphrase(secrets_file, off=off)
    found = with_app(common, lambda app: app.keys.protect(passphrase, by=BY_COMMAND))
    _show(found, as_json=common.json)
    return 0


def _passphrase(secrets_file: str | None, *, off: bool) -> Secret | None:
    if off:
        return None
    passphrase = read_secrets(secrets_file).get("passphrase")
    if passphrase is None:
        raise ConfigurationError(
            "The passphrase is missing.",
            code="keys.passphrase_missing",
            hint='Give it: --secrets-file FILE with {"passphrase": "…"}, or say --off.',
        )
    return passphrase


def _show(found: KeyStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(plain(keys_document(found)))
        return
    lock = {None: "", True: ", its file sealed under a passphrase", False: ", its file in clear"}[found.is_locked]
    print_lines(
        f"{found.primary} wraps, kept by {found.custodian}{lock}.",
        f"Data keys: {found.data_keys}; {found.waiting} of them wait to be wrapped by it.",
        f"Since {short_time(found.rotated_at)}; the next one is due until {short_time(found.next_due)} (UTC)"
        + (" and overdue." if found.is_overdue else "."),
    )

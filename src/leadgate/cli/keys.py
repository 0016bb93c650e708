"""`leadgate keys …`: the key encryption key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, read_pairs, read_secrets, with_app
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


def move(
    kind: Annotated[str | None, Parameter(help="file or transit; leave it out with --confirm and --undo.")] = None,
    /,
    *,
    confirm: Annotated[bool, Parameter(negative=(), help="The former custodian is not needed any more.")] = False,
    undo: Annotated[bool, Parameter(negative=(), help="Back to the former custodian.")] = False,
    setting: Annotated[list[str] | None, Parameter(help="key=value, as often as needed.", negative=())] = None,
    secrets_file: SecretsFile = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Give the key encryption key to another custodian. Nothing stops, and until --confirm it can be undone.

    transit: the engine of OpenBao or HashiCorp Vault; settings address, key, mount, ca_file, namespace; secrets {"token": "…"}
    or {"role_id": "…", "secret_id": "…"}. file: the key file of the data directory, with a new recovery key.

    Example: leadgate keys move transit --setting address=https://bao.example:8200 --setting key=leadgate --secrets-file bao.json
    """
    if (kind is not None) + confirm + undo != 1:
        raise ConfigurationError("Say one of them: a custodian, --confirm or --undo.", code="keys.move_what")
    settings, secrets = read_pairs(setting), read_secrets(secrets_file)

    async def work(app: App) -> tuple[KeyStatus, Secret | None]:
        if confirm:
            return await app.key_moves.confirm(by=BY_COMMAND), None
        if undo:
            return await app.key_moves.undo(by=BY_COMMAND), None
        return await app.key_moves.move(kind or "", settings, secrets, by=BY_COMMAND)

    found, paper = with_app(common, work)
    if common.json:
        print_json({**keys_json(found), "recovery_key": None if paper is None else paper.reveal()})
        return 0
    _show(found, as_json=False)
    if found.moving_from is not None:
        print_lines(
            "End it when no data key waits: leadgate keys move --confirm; or go back: leadgate keys move --undo"
        )
    if paper is not None:
        print_lines(
            "Write this recovery key on paper; it is not shown again, and the former one counts no more:",
            paper.reveal(),
        )
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


def keys_json(found: KeyStatus) -> dict[str, object]:
    """As the API tells it."""
    document = plain(keys_document(found))
    return dict(document) if isinstance(document, dict) else {}


def _show(found: KeyStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(keys_json(found))
        return
    if found.away_since is not None:
        print_lines(
            f"The custodian does not answer since {short_time(found.away_since)} (UTC); work goes on meanwhile."
        )
    lock = {None: "", True: ", its file sealed under a passphrase", False: ", its file in clear"}[found.is_locked]
    print_lines(
        f"{found.primary} wraps, kept by {found.custodian}{lock}.",
        f"Data keys: {found.data_keys}; {found.waiting} of them wait to be wrapped by it.",
        f"Since {short_time(found.rotated_at)}; the next one is due until {short_time(found.next_due)} (UTC)"
        + (" and overdue." if found.is_overdue else "."),
    )

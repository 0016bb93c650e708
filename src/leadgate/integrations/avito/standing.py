"""How the connection stands at Avito: findings from what it answers. Pure. Addresses hold our secret and are never told."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from leadgate.intake.signatures import matches_any
from leadgate.intake.untrusted import identifier_at, text_at, value_at
from leadgate.integrations.avito.errors import to_delay
from leadgate.integrations.avito.settings import SECRET_PARAMETER, WEBHOOK_SECRET
from leadgate.model.connections import Finding, FindingState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call

_ADDRESS_LIMIT = 2048
_REGISTER = "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address."
_CURES = {
    "avito.client_refused": "Take client_id and client_secret from the profile at Avito and set them anew.",
    "avito.token_refused": "Take client_id and client_secret from the profile at Avito and set them anew.",
    "avito.no_access": "Give the application the right to read and write messages.",
    "avito.plan": "The Messenger API needs a paid level of Avito's subscription: see docs/howto/connect-avito.md.",
}
"""What to do; other codes ask to look at the network."""

_ACCOUNT_GOOD = Finding("avito.account_good", FindingState.OK, "The keys are good.")
_OTHER_ACCOUNT = Finding(
    "avito.other_account",
    FindingState.FAIL,
    "The keys belong to another profile than the setting account_id.",
    "Correct account_id, or take the keys of that profile.",
)
WEBHOOK_SET = Finding("avito.webhook_set", FindingState.OK, "Avito posts to this connection.")
_NOT_SET = Finding(
    "avito.webhook_not_set",
    FindingState.FAIL,
    "Avito does not know our address: nothing arrives.",
    _REGISTER,
    needs_registration=True,
)
_ELSEWHERE = Finding(
    "avito.webhook_elsewhere",
    FindingState.FAIL,
    "Avito posts to other addresses only: another program uses this profile.",
    _REGISTER,
    needs_registration=True,
)
_OLD_SECRET = Finding(
    "avito.webhook_old_secret",
    FindingState.WARN,
    "Avito still posts under an older secret.",
    _REGISTER,
    needs_registration=True,
)
SECRET_MISSING = Finding(
    "avito.secret_missing", FindingState.FAIL, "The connection has no webhook secret.", "Set webhook_secret."
)


def account_finding(answer: Call, *, expected: str | None) -> Finding:
    """Are the keys good, and of the profile that is expected (None: any)?"""
    account = identifier_at(answer.body, "id") if isinstance(answer, Answered) and answer.is_success else None
    if account is None:
        return _unanswered(answer, "Avito does not tell whose keys these are.", FindingState.FAIL)
    return _OTHER_ACCOUNT if expected not in {None, account} else _ACCOUNT_GOOD


def webhook_finding(answer: Call, connection: OpenConnection) -> Finding:
    """Does Avito post to this connection under its newest secret?"""
    if not isinstance(answer, Answered) or not answer.is_success:
        return _unanswered(answer, "Avito did not tell where it posts.", FindingState.WARN)
    ours = our_addresses(answer, connection)
    if not ours:
        return _ELSEWHERE if _addresses(answer) else _NOT_SET
    newest = connection.secrets.get(WEBHOOK_SECRET, ())[:1]
    keys = [parse_qs(urlsplit(address).query).get(SECRET_PARAMETER, [""])[0] for address in ours]
    return WEBHOOK_SET if any(matches_any(key, newest) for key in keys) else _OLD_SECRET


def not_registered(answer: Call) -> Finding:
    """Why our address was not taken."""
    return _unanswered(answer, "Avito did not take our address.", FindingState.FAIL)


def our_addresses(answer: Call, connection: OpenConnection) -> set[str]:
    """Addresses of this connection among the subscriptions, whatever secret they hold; empty when they were not told."""
    path = f"/webhooks/avito/{connection.connection.connection_id}"
    return {address for address in _addresses(answer) if _path(address).endswith(path)}


def secret_address(webhook_url: str, secret: Secret) -> str:
    """Our address with the secret that proves what is posted there."""
    return f"{webhook_url}?{SECRET_PARAMETER}={secret.reveal()}"


def _addresses(answer: Call) -> list[str]:
    """Every address that is told in the third shape of webhooks, the one that we read."""
    listed = value_at(answer.body, "subscriptions") if isinstance(answer, Answered) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [address for entry in entries if (address := _address(entry)) is not None]


def _address(entry: Mapping[str, object]) -> str | None:
    return text_at(entry, "url", limit=_ADDRESS_LIMIT) if "3" in (text_at(entry, "version") or "3") else None


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:  # a stranger's address with half a bracket
        return ""


def _unanswered(answer: Call, text: str, state: FindingState) -> Finding:
    code = to_delay(answer).code
    return Finding(code, state, text, _CURES.get(code, "Check the network of the server and the setting api_base."))

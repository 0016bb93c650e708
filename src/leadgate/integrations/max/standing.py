"""How the connection stands at MAX: findings from `GET /me` and `GET /subscriptions`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from leadgate.intake.untrusted import text_at, value_at
from leadgate.integrations.max.errors import plain_detail, to_failure
from leadgate.integrations.max.settings import BOT_NAME
from leadgate.integrations.max.wire import is_done
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.model.outcomes import Refused
from leadgate.wire.client import Answered, Call

WANTED_UPDATES = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
]
"""What we ask to hear. Group chats are heard through `message_created` and ignored."""

_NETWORK = "Check the network of the server and the setting api_base."
_ADDRESS_CURE = "The address must be public, https, on port 443, with a full chain of certificates."
_CURES = {
    "max.forbidden": "Look at the bot at business.max.ru: it may be blocked or not yet approved.",
    "max.not_the_api": "Check the setting api_base.",
}
SECRET_MISSING = Finding(
    "max.secret_missing", FindingState.FAIL, "The connection has no webhook secret.", "Connect the bot anew."
)
"""Without one nothing that arrives could be proven."""

_DISTRUST = Finding(
    "max.certificate_unknown",
    FindingState.FAIL,
    "Nobody this server trusts vouches for the certificate of MAX, so nothing is sent.",
    "Put the root certificates of the Russian state authority (gosuslugi.ru/crt) on the server as PEM and name it in ca_file.",
)
_TOKEN_REFUSED = Finding(
    "max.token_refused",
    FindingState.FAIL,
    "MAX does not know this token.",
    "Take the current token from the settings of the bot at business.max.ru and set it: leadgate secrets set.",
)


def account_finding(answer: Call) -> Finding:
    """Is the token alive?"""
    if is_done(answer):
        return Finding("max.token_good", FindingState.OK, "The token is good.")
    return _failed(answer, "MAX could not be asked.")


def learned_from(answer: Call) -> Mapping[str, str]:
    """The bot's name in addresses, which its links are made of."""
    name = text_at(answer.body, "username") if isinstance(answer, Answered) else None
    return {BOT_NAME: name} if name else {}


def subscription_findings(answer: Call, connection: OpenConnection) -> tuple[Finding, ...]:
    """Does MAX post to this connection, all that we want, and to nobody else?"""
    if not isinstance(answer, Answered) or not is_done(answer):
        text = "MAX did not tell where it posts."
        return (Finding(to_failure(answer).code, FindingState.WARN, text, "Check again later."),)
    ours = find_subscription(answer, connection)
    if ours is None:
        return (_not_set(),)
    others = (_updates_finding(ours), _others_finding(answer, connection))
    return (_set(), *(finding for finding in others if finding is not None))


def find_subscription(answer: Call, connection: OpenConnection) -> Mapping[str, object] | None:
    """Our subscription among those of the bot, or None."""
    ending = f"/webhooks/max/{connection.connection.connection_id}"
    return next((item for item in _subscriptions(answer) if _address(item).endswith(ending)), None)


def registration_finding(answer: Call) -> Finding:
    """Did MAX take our address?"""
    if is_done(answer):
        return _set()
    if isinstance(answer, Answered) and answer.is_success:
        words = plain_detail(text_at(answer.body, "message") or "")
        return Finding(
            "max.webhook_refused", FindingState.FAIL, f"MAX did not take the address: {words}", _ADDRESS_CURE
        )
    failure = to_failure(answer)
    if not isinstance(failure, Refused):
        return _failed(answer, "MAX did not take the address.")
    return Finding(failure.code, FindingState.FAIL, f"MAX did not take the address: {failure.detail}", _ADDRESS_CURE)


def gravest_first(*findings: Finding) -> CheckReport:
    """A report of what was found."""
    order = (FindingState.FAIL, FindingState.WARN, FindingState.OK)
    return CheckReport(tuple(sorted(findings, key=lambda finding: order.index(finding.state))))


def _set() -> Finding:
    return Finding("max.webhook_set", FindingState.OK, "MAX posts to this connection.")


def _not_set() -> Finding:
    return Finding(
        "max.webhook_not_set",
        FindingState.FAIL,
        "MAX does not post to this connection: nothing arrives. After eight hours without an answer it stops by itself.",
        "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address.",
        needs_registration=True,
    )


def _updates_finding(subscription: Mapping[str, object]) -> Finding | None:
    """MAX posts everything to a subscription that names nothing."""
    named = value_at(subscription, "update_types")
    if not isinstance(named, list) or not named or set(WANTED_UPDATES) <= {n for n in named if isinstance(n, str)}:
        return None
    return Finding(
        "max.updates_left_out",
        FindingState.WARN,
        "MAX leaves out some kinds of updates that we want.",
        "Run `leadgate connections check`: it asks for them.",
        needs_registration=True,
    )


def _others_finding(answer: Call, connection: OpenConnection) -> Finding | None:
    if len(_subscriptions(answer)) == 1 or find_subscription(answer, connection) is None:
        return None
    return Finding(
        "max.webhook_shared",
        FindingState.WARN,
        "MAX posts to another address as well: another program uses this bot and may answer too.",
        "Switch the bot off in the other program.",
    )


def _failed(answer: Call, text: str) -> Finding:
    code = to_failure(answer).code
    known = next((finding for finding in (_DISTRUST, _TOKEN_REFUSED) if finding.code == code), None)
    return known or Finding(code, FindingState.FAIL, text, _CURES.get(code, _NETWORK))


def _subscriptions(answer: Call) -> list[Mapping[str, object]]:
    found = value_at(answer.body, "subscriptions") if isinstance(answer, Answered) else None
    items = found if isinstance(found, list) else []
    return [cast("Mapping[str, object]", item) for item in items if isinstance(item, dict)]


def _address(subscription: Mapping[str, object]) -> str:
    return text_at(subscription, "url", limit=2048) or ""

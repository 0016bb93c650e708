"""How the connection stands at Telegram: findings from `getMe` and `getWebhookInfo`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from leadgate.intake.untrusted import integer_at, moment_at, object_at, text_at, value_at
from leadgate.integrations.telegram.errors import plain_detail, to_failure
from leadgate.integrations.telegram.settings import BOT_NAME
from leadgate.integrations.telegram.wire import is_ok
from leadgate.model.connections import Finding, FindingState
from leadgate.wire.client import Answered, Call

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"]
"""What we ask to hear. Reactions come only when asked for; groups are heard through `message` and ignored."""

PENDING_LIMIT = 100
"""More updates than this waiting at Telegram is a jam, not a moment."""

FRESH_ERROR = timedelta(minutes=15)
"""Telegram remembers its last error for ever; an older one says nothing about now."""


def account_finding(answer: Call) -> Finding:
    """Is the token alive, and is it a bot's?"""
    if is_ok(answer):
        return Finding("telegram.token_good", FindingState.OK, "The token is good.")
    code = to_failure(answer).code
    if code in {"telegram.token_revoked", "telegram.token_unknown"}:
        return Finding(
            code,
            FindingState.FAIL,
            "Telegram does not know this token.",
            "Take the current token from @BotFather, remove this connection and connect the bot anew.",
        )
    return Finding(
        code,
        FindingState.FAIL,
        "Telegram could not be asked.",
        "Check the network of the server and the setting api_base.",
    )


def learned_from(answer: Call) -> Mapping[str, str]:
    """The bot's user name, which its links are made of."""
    name = text_at(answer.body, "result", "username") if isinstance(answer, Answered) else None
    return {BOT_NAME: name} if name else {}


def webhook_findings(answer: Call, *, connection_id: str, now: datetime) -> tuple[Finding, ...]:
    """Does Telegram post to this connection, and does it get through?"""
    if not isinstance(answer, Answered) or not is_ok(answer):
        text = "Telegram did not tell where it posts."
        return (Finding(to_failure(answer).code, FindingState.WARN, text, "Check again later."),)
    info = object_at(answer.body, "result") or {}
    address = _address_finding(text_at(info, "url", limit=2048) or "", connection_id)
    others = (_pending_finding(info), _last_error_finding(info, now), _allowed_finding(info))
    return (address, *(finding for finding in others if finding is not None))


def _address_finding(url: str, connection_id: str) -> Finding:
    cure = "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address."
    if not url:
        text = "No webhook is set at Telegram: nothing arrives."
        return Finding("telegram.webhook_not_set", FindingState.FAIL, text, cure, needs_registration=True)
    if not url.endswith(f"/webhooks/telegram/{connection_id}"):
        text = "Telegram posts to another address: another program uses this bot."
        return Finding("telegram.webhook_elsewhere", FindingState.FAIL, text, cure, needs_registration=True)
    return Finding("telegram.webhook_set", FindingState.OK, "Telegram posts to this connection.")


def _pending_finding(info: Mapping[str, object]) -> Finding | None:
    pending = integer_at(info, "pending_update_count") or 0
    if pending <= PENDING_LIMIT:
        return None
    text = f"{pending} updates wait at Telegram; they are dropped when they are 24 hours old."
    return Finding(
        "telegram.updates_waiting", FindingState.WARN, text, "Make sure that the public address answers.", is_jam=True
    )


def _last_error_finding(info: Mapping[str, object], now: datetime) -> Finding | None:
    happened_at = moment_at(info, "last_error_date")
    if happened_at is None or now - happened_at > FRESH_ERROR:
        return None
    words = plain_detail(text_at(info, "last_error_message") or "")
    text = f"Telegram could not deliver lately: {words}"
    return Finding(
        "telegram.webhook_failing", FindingState.WARN, text, "Make sure that the public address answers.", is_jam=True
    )


def _allowed_finding(info: Mapping[str, object]) -> Finding | None:
    allowed = value_at(info, "allowed_updates")
    if not isinstance(allowed, list) or set(ALLOWED_UPDATES) <= {name for name in allowed if isinstance(name, str)}:
        return None
    text = "Telegram leaves out some kinds of updates that we want."
    cure = "Run `leadgate connections check`: it asks for them."
    return Finding("telegram.updates_left_out", FindingState.WARN, text, cure, needs_registration=True)

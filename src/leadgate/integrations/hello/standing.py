"""How the connection stands at Hello: findings from what it answers. Pure."""

from __future__ import annotations

from leadgate.intake.untrusted import text_at
from leadgate.integrations.hello.errors import to_failure
from leadgate.model.connections import CheckReport, Finding, FindingState
from leadgate.wire.client import Answered, Call

_SET = Finding("hello.webhook_set", FindingState.OK, "Hello posts to this connection.")
_NOT_SET = Finding(
    "hello.webhook_not_set",
    FindingState.FAIL,
    "Hello does not post to this connection.",
    "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address.",
    needs_registration=True,
)
SECRET_MISSING = CheckReport(
    (Finding("hello.secret_missing", FindingState.FAIL, "The connection has no webhook secret.", "Connect it anew."),)
)
_CURES = {"hello.token_revoked": "Take a new token from Hello and connect anew."}


def checked(answer: Call, *, connection_id: str) -> CheckReport:
    """From the answer of `GET /me`."""
    if not isinstance(answer, Answered) or not answer.is_success:
        return _failed(answer)
    url = text_at(answer.body, "webhook", limit=2048) or ""
    return CheckReport((_SET if url.endswith(f"/{connection_id}") else _NOT_SET,))


def registered(answer: Call) -> CheckReport:
    """From the answer of `PUT /webhook`."""
    return CheckReport((_SET,)) if isinstance(answer, Answered) and answer.is_success else _failed(answer)


def _failed(answer: Call) -> CheckReport:
    code = to_failure(answer).code
    cure = _CURES.get(code, "Check the network of the server and the setting api_base.")
    return CheckReport((Finding(code, FindingState.FAIL, "Hello did not answer as it should.", cure),))

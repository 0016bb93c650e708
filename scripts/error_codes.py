"""Every error code of the product with its meaning, read from the source without running it. For `reference.py`.

A code is a text such as `webhook.signature_mismatch` that stands where errors, refusals, findings and outcomes are made. Its
meaning is the message that stands beside it; where there is none, the sentence that the pages show for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadgate import registry
from leadgate.integrations.bitrix24.errors import RULES, Meaning, Rule
from leadgate.model.outcomes import Scope
from leadgate.web.catalogue import load_catalogue
from leadgate.web.explain import explain

VENDORS = {kind: registry.get(kind).manifest.title for kind in registry.kinds()}
AREAS = frozenset(
    {
        *(
            "access",
            "alert",
            "api",
            "configuration",
            "connection",
            "crm",
            "custodian",
            "delivery",
            "init",
            "event",
            "intake",
            "lead",
            "ledger",
            "leadgate",
            "message",
        ),
        *("page", "privacy", "reach", "resource", "service", "staff", "storage", "vault", "web", "webhook"),
        *(
            "backup",
            "consent",
            "erasure",
            "health",
            "incident",
            "journal",
            "keys",
            "policy",
            "recipient",
            "report",
            "request",
        ),
        *("retention", "secret", "subject"),
    }
)
"""First parts of our own codes; `find_codes` refuses one that is not here."""

_ASIDE = re.compile(r" \((?:contract|exit code)[^)]*\)|\(contract[^:)]*: ([^)]*)\)|, section \d")
_SHAPE = re.compile(r"[a-z0-9]+\.[A-Za-z0-9_]+")
_OTHER_TABLES = frozenset(
    {"model/deliveries.py", "model/journal.py", "catalogue/meanings.py", "web/timeline.py", "web/states.py"}
)
_NO_CODES = (".html", ".json", ".sqlite3", ".zip", "_", ".ru", ".org", ".com")
_NO_PRODUCT = ("sandbox/", "testing/", "integrations/hello/", "cli/")
_MESSAGE_AT = {"Finding": 2, "_problem": 2, "problem": 1}
"""Calls whose message is not their first argument."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code and what it means; `hint` is what to do, or empty."""

    code: str
    meaning: str
    hint: str = ""


def find_codes(package: Path) -> list[Code]:
    """All codes, in the order of the alphabet; where one is made in several places the fullest meaning stands.

    Raises:
        ValueError: a code of an area that is not in `AREAS`, or one without any meaning.
    """
    found: dict[str, Code] = {
        f"bitrix24.{word}": Code(f"bitrix24.{word}", _of_rule(rule)) for word, rule in RULES.items()
    }
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name in _OTHER_TABLES or name.startswith(_NO_PRODUCT):
            continue
        for code in _read_module(ast.parse(path.read_text(encoding="utf-8")), name):
            known = found.get(code.code)
            if known is None or len(code.meaning) > len(known.meaning):
                found[code.code] = code
    return [_with_meaning(found[name]) for name in sorted(found)]


def _read_module(tree: ast.Module, name: str) -> Iterator[Code]:
    vendor = name.split("/")[1] if name.startswith("integrations/") else None
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name_of(node) in {"not_sent", "unclear"} and node.args:
            word = _text(node.args[0])
            if vendor and word:
                yield Code(f"{vendor}.{word}", "")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SHAPE.fullmatch(node.value):
            code = _at(node, parents, vendor)
            if code is not None:
                yield code


def _at(node: ast.Constant, parents: dict[ast.AST, ast.AST], vendor: str | None) -> Code | None:
    code, parent = str(node.value), parents[node]
    area = code.partition(".")[0]
    if isinstance(parent, ast.keyword) and parent.arg == "code" and area not in AREAS | VENDORS.keys():
        raise ValueError(f"{code}: its area is not known; add it to AREAS in scripts/error_codes.py")
    is_vendors = vendor is not None and area == vendor
    if not (is_vendors or area in AREAS or area in VENDORS) or code.endswith(_NO_CODES):
        return None
    if isinstance(parent, ast.Dict) and isinstance(parents[parent], ast.keyword):
        parent = parents[parent]  # `extra={"code": …}` of the web framework's errors
    call = parents[parent] if isinstance(parent, ast.keyword) else parent
    if isinstance(call, ast.Call):
        if _is_log(call) or _name_of(call) in {"files", "PackageLoader", "show", "get_template", "FrequentLine"}:
            return None
        return Code(code, _message(call), _text(_keyword(call, "hint")) or _text(_keyword(call, "cure")) or _cure(call))
    holder = parents.get(parent)
    if isinstance(parent, ast.Assign | ast.AnnAssign) and isinstance(holder, ast.ClassDef):
        return Code(code, _ASIDE.sub("", (ast.get_docstring(holder) or "").partition("\n")[0]))
    if (
        isinstance(parent, ast.Assign)
        and not is_vendors
        and code in {"subjects.profile", "leadgate.sqlite3", "leadgate.toml"}
    ):
        return None
    return Code(code, "")


def _message(call: ast.Call) -> str:
    at = _MESSAGE_AT.get(_name_of(call), 0)
    text = _text(call.args[at]) if len(call.args) > at else ""
    return "" if _SHAPE.fullmatch(text) else text


def _cure(call: ast.Call) -> str:
    return _text(call.args[3]) if _name_of(call) == "Finding" and len(call.args) > 3 else ""  # noqa: PLR2004 - code, state, text, cure


def _text(node: ast.expr | None) -> str:
    """A text as it is written, with `…` where something is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_log(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name | ast.Attribute)
        and ast.unparse(call.func.value) in ("_log", "self._log")
    )


def _of_rule(rule: Rule) -> str:
    if rule.meaning is Meaning.REFUSED:
        return "Bitrix24 refuses this lead or entry: dead letter."
    if rule.meaning is Meaning.UNKNOWN:
        return "It may have been written: quiet time, then look-up."
    what = "the lane" if rule.scope is Scope.TARGET else "the delivery"
    return f"Nothing was written; {what} waits{' until a person has cured it' if rule.needs_person else ' and tries again'}."


def _with_meaning(code: Code) -> Code:
    if code.code in _MEANINGS:
        return Code(code.code, *_MEANINGS[code.code])
    if code.meaning:
        return code
    told = explain(code.code)
    if not told.is_known:
        return code
    words, who = load_catalogue("en"), VENDORS.get(code.code.partition(".")[0]) or "the vendor"
    return Code(code.code, words(told.headline, who=who), words(told.cure, who=who))


_UNSEEN = (
    "Telegram may have shown this message or not; a message cannot be looked up.",
    "See: docs/runbook/unknown-outcome.md",
)
_MEANINGS: dict[str, tuple[str, ...]] = {
    "access.sign_in": ("Nobody is signed in.", "Sign in, or send a token."),
    "alert.refused": (
        "The service of an address did not take a message.",
        "See: docs/runbook/alarms.md",
    ),
    "alert.address_refused": (
        "The address leads into a private network or to a service that takes no alarms, so nothing was sent there.",
        "Correct it, or allow the host of your own network: leadgate own-network allow --help",
    ),
    "alert.address_unreadable": (
        "The address was sealed under another key file.",
        "Remove it and add it anew. See: docs/runbook/alarms.md",
    ),
    "alert.chat_unknown": (
        "The bot does not know the chat of this address.",
        "Write to the bot from it, or add it there.",
    ),
    "alert.token_refused": ("The service does not know the token any more.", "See: docs/runbook/alarms.md"),
    "alert.unreachable": (
        "The service cannot be reached, or its certificate is not trusted.",
        "See: docs/runbook/alarms.md",
    ),
    "alert.timeout": ("The service of an address did not answer in time.", "See: docs/runbook/alarms.md"),
    "bitrix24.closed": ("The connection was changed while this was on its way; nothing was sent.", "Nothing to do."),
    "bitrix24.not_json_…": (
        "Bitrix24 answered with this HTTP status and no JSON; it may have written.",
        "Nothing to do: quiet time, then look-up.",
    ),
    "bot.not_json": ("The body is not a JSON object in UTF-8.", "Send JSON."),
    "connection.refused": (
        "The vendor refuses the access; nothing was connected.",
        "Read the findings, mend what they name, connect again.",
    ),
    "connection.removed": ("The event waited when its connection was removed.",),
    "connection.unreachable": (
        "The vendor could not be asked; nothing was connected.",
        "Try again, or connect with --no-check.",
    ),
    "secret.refused": (
        "The vendor does not take the new secret; the one before stays in use.",
        "Read the findings, mend what they name, try again.",
    ),
    "secret.unreachable": (
        "The vendor could not be asked about the new secret; the one before stays in use.",
        "Try again later.",
    ),
    "crm.lead_elsewhere": ("The lead stands in a CRM that is not connected now.", "Resume that connection."),
    "erasure.crm_removed": (
        "A lead of an erased person stands in a CRM that is connected no more.",
        "See: docs/runbook/erasure-refused.md",
    ),
    "event.ended": ("The event was erased with its person, or given up, while it was worked on.",),
    "event.crashed": ("Working on this event failed five times in our own code.", "See: docs/runbook/crashed.md"),
    "event.empty": ("The webhook held no event that we read.",),
    "event.no_open_lead": ("A message was edited or deleted by the client, and no lead is open that could be told.",),
    "lead.invalid": ("The lead breaks the schema; every bad field is named.", "Mend the fields; nothing was stored."),
    "leadgate.error": ("An error without a code of its own.",),
    "message.too_late": (
        "The message waited longer than 24 hours; an answer that old would puzzle the client.",
        "Write to the client yourself.",
    ),
    "site.query_invalid": ("An option of the address is wrong.",),
    "subject.erased": ("The person was erased: the event is not worked on, the delivery is not made.",),
    "telegram.answer_lost": _UNSEEN,
    "telegram.answer_unreadable": _UNSEEN,
    "telegram.partly_sent": (
        "Telegram took a part of this message; the rest is uncertain.",
        "See: docs/runbook/unknown-outcome.md",
    ),
    "telegram.server_error": _UNSEEN,
    "web.failed": ("Something failed on our side.", "See: docs/runbook/crashed.md"),
    "web.method": ("This address does not answer this HTTP method.",),
    "web.too_large": ("The form is too large.",),
    "web.request_malformed": ("What came is no HTTP request, or one that two programs may read in two ways.",),
    "web.request_slow": ("The request did not arrive in time.",),
    "web.request_too_large": ("The request is larger than 16 MiB on its way.",),
    "web.target_too_long": ("The address is longer than 8 KiB.",),
    "web.head_too_large": ("The headers are more than 100 or larger than 32 KiB.",),
    "webhook.body_too_large": ("The body is larger than 1 MiB.",),
    "webhook.crashed": (
        "Something broke here; nothing was stored.",
        "The vendor sends it again. See: docs/runbook/crashed.md",
    ),
}
"""Meaning and hint of codes beside which no message stands, or one that says less."""

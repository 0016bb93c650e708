import re
import string
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path

import pytest

import leadgate
import leadgate.web
from leadgate.alerts.wording import place_of
from leadgate.catalogue.texts import LOCALES, PARTS, read_file
from leadgate.crm.ledger import ACCEPTED, CLOSED, DOUBLED, MISSING, MOVED, STRANGER, UNSETTLED
from leadgate.integrations.bitrix24.errors import REVOKED_CODES, RULES
from leadgate.integrations.telegram.errors import _NEEDS_PERSON, _REFUSALS
from leadgate.model.alerts import Cause as Alarm
from leadgate.model.connections import Finding, FindingState
from leadgate.model.consents import ConsentPurpose, How
from leadgate.model.deliveries import DeliveryKind
from leadgate.model.events import EventKind
from leadgate.model.keys import KINDS
from leadgate.model.requests import RequestKind, RequestOutcome, RequestWay
from leadgate.model.retention import DataKind
from leadgate.model.reveals import RevealReason
from leadgate.model.staff import Role
from leadgate.model.views import Cause, EndState, Light
from leadgate.privacy.allow_list import CrmField, CrmObject
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.held_back import SERVICE, Place
from leadgate.privacy.policies import CRM_PURPOSES, Purpose
from leadgate.privacy.rules import HealthMode
from leadgate.processing.consent_proof import FAULTS
from leadgate.web import states
from leadgate.web.alert_services import SERVICES
from leadgate.web.base import find_pages
from leadgate.web.catalogue import FAMILIES, ONLY_RUSSIAN, Catalogue, load_catalogue, plural_form
from leadgate.web.cookies import THEMES
from leadgate.web.explain import MEANINGS, explain
from leadgate.web.findings import teller
from leadgate.web.moments import PERIODS
from leadgate.web.pages.deliveries import SPANS
from leadgate.web.pages.tokens import REACHES
from leadgate.web.sheet import NOTICES
from leadgate.web.states import DELIVERY_TABS, Mark
from leadgate.web.visits import BROWSERS, OTHER, SYSTEMS
from scripts.error_codes import find_codes

WEB = Path(leadgate.web.__file__).parent
QUOTED = re.compile(r"""["']([a-z_0-9]+(?:\.[a-z_A-Z0-9]+)+)["']""")


CODES = {
    "alert.chat_missing",
    "alert.name_taken",
    "alert.name_wrong",
    "access.denied",
    "access.prove",
    "access.scope",
    "access.slow_down",
    "connection.name_taken",
    "connection.name_wrong",
    "connection.own_network",
    "connection.own_network_reason",
    "connection.public_url_missing",
    "connection.refused",
    "event.revealed",
    "health.document_wrong",
    "health.document_without_clinic",
    "policy.reason_long",
    "policy.reason_missing",
    "policy.reason_personal",
    "incident.time_wrong",
    "incident.zip",
    "recipient.country_known",
    "recipient.country_wrong",
    "recipient.reason_missing",
    "recipient.refused",
    "recipient.undecided",
    "staff.code_wrong",
    "staff.last_owner",
    "staff.name_empty",
    "staff.name_taken",
    "staff.not_found",
    "staff.passkey_refused",
    "staff.password_common",
    "staff.password_long",
    "staff.password_short",
    "consent.text_without_way_out",
    "consent.text_wrong",
}
"""Codes of errors and names of log lines in the pages: no words of the catalogue."""

NOT_ON_PAGES = (
    "access.",
    "alert.",
    "api.",
    "backup.",
    "configuration.",
    "consent.",
    "health.",
    "incident.",
    "journal.",
    "custodian.",
    "keys.",
    "leadgate.",
    "ledger.",
    "page.",
    "policy.",
    "privacy.",
    "report.",
    "request.",
    "resource.",
    "retention.",
    "secret.",
    "service.",
    "staff.",
    "subject.",
    "web.",
)
"""Areas whose refusals end in an error page by status, or at the field that they blame."""

TOLD_ELSEWHERE = {
    "bitrix24.not_json_…",  # tested below with a status
    *(f"connection.{word}" for word in ("key_missing", "key_unknown", "key_wrong", "name_taken", "name_wrong")),  # form
    *(f"connection.{word}" for word in ("refused", "secret_in_argument", "unreachable")),  # form, command, form
    *(
        f"connection.{word}" for word in ("address_forbidden", "host_wrong", "own_network", "own_network_reason")
    ),  # form
    *(
        "delivery.lease_lost",
        "delivery.person_erased",
        "delivery.wrong_kind",
        "delivery.wrong_state",
        "event.wrong_state",
    ),  # log, notice, command
    *("erasure.busy", "erasure.crm_removed", "erasure.list_damaged"),  # by the pages of erasures, the last by a command
    "event.ended",  # log
    "reach.no_link",  # command
    *(
        f"recipient.{word}" for word in ("country_known", "country_wrong", "not_found", "reason_missing")
    ),  # form, command
    *("intake.overloaded", "storage.unavailable", "webhook.crashed", "webhook.method_not_allowed"),  # to senders alone
    *("site.not_found", "site.query_invalid", "site.too_many_visits"),  # likewise
}
"""Codes that no page shows, or that a page tells by other words."""


Entry = str | Mapping[str, str]


def raw(locale: str, part: str = "pages") -> dict[str, Entry]:
    """The file as it is written; in that of the widget a key is the part of the screen and the name in it."""
    if part != "widget":
        return dict(read_file(part, locale))
    return {f"{where}.{name}": text for where, words in read_file(part, locale).items() for name, text in words.items()}


def texts(entry: Entry) -> list[str]:
    """Every form of an entry."""
    return [entry] if isinstance(entry, str) else list(entry.values())


def placeholders(entry: Entry) -> set[str]:
    """Names of the values that an entry takes."""
    return {name for text in texts(entry) for _, name, _, _ in string.Formatter().parse(text) if name}


def named_in_code() -> set[str]:
    """Every quoted word with a dot in templates and in the web's Python."""
    files = [*WEB.glob("templates/*.html"), *WEB.glob("*.py"), *WEB.glob("pages/*.py")]
    return {key for file in files for key in QUOTED.findall(file.read_text("utf-8"))}


def made_of_values() -> Iterator[str]:
    """Every key that the pages put together from a value."""
    families: list[tuple[str, list[str] | tuple[str, ...] | frozenset[str] | type[StrEnum]]] = [
        ("delivery.kind.", DeliveryKind),
        ("ledger.cause.", Cause),
        ("ledger.share.", EndState),
        ("ledger.explain.", (MISSING, DOUBLED, STRANGER, UNSETTLED, MOVED, CLOSED, ACCEPTED)),
        ("ledger.finding.", (MISSING, DOUBLED, STRANGER, UNSETTLED, MOVED, CLOSED, ACCEPTED)),
        ("fact.kind.", EventKind),
        ("role.", Role),
        ("state.light.", Light),
        ("error.", MEANINGS),
        ("cure.", MEANINGS),
        ("notice.", NOTICES),
        ("period.", (*PERIODS, *SPANS)),
        ("policies.field.", CrmField),
        ("policies.form.", CRM_PURPOSES),
        ("keys.custodian.", KINDS),
        ("retention.kind.", [*DataKind]),
        ("retention.why.", [*DataKind]),
        ("policies.label.", [*Label, SERVICE]),
        ("policies.object.", CrmObject),
        ("policies.place.", Place),
        ("policies.purpose.", Purpose),
        *((f"health.{part}.", HealthMode) for part in ("means", "mode", "now")),
        ("alerts.service.", [name + part for name in SERVICES for part in ("", ".text")]),
        ("alerts.new.", [f"{part}.{name}" for name in SERVICES for part in ("title", "lead")]),
        (
            "alerts.new.",
            [f"{name}.{q.name}{part}" for name in SERVICES for q in SERVICES[name].questions for part in ("", ".help")],
        ),
        ("alerts.place.", [place_of(cause).split("?", maxsplit=1)[0].strip("/") or "home" for cause in Alarm]),
        ("reveal.reason.", [reason.value for reason in RevealReason]),
        ("agent.browser.", [*(word for _, word in BROWSERS), OTHER]),
        ("agent.system.", [*(word for _, word in SYSTEMS), OTHER]),
        ("staff.role.", Role),
        ("tokens.reach.", REACHES),
        ("request.kind.", RequestKind),
        ("request.way.", RequestWay),
        ("request.outcome.", RequestOutcome),
        ("request.next.", (*RequestKind, "nobody")),
        ("consents.fault.", FAULTS),
        ("consents.how.", How),
        ("consents.locale.", LOCALES),
        ("consents.proof.", ("gone", "journaled", "matched", "told", "wordless")),
        ("consents.purpose.", ConsentPurpose),
        ("tab.", tuple(DELIVERY_TABS)),
        ("theme.", THEMES),
        ("home.greeting.", ("morning", "day", "evening", "night")),
        ("date.month.", [str(month) for month in range(1, 13)]),
        ("date.weekday.", [str(day) for day in range(1, 8)]),
        ("date.weekday_short.", [str(day) for day in range(1, 8)]),
    ]
    for family, values in families:
        yield from (family + str(value) for value in values)
    yield from (f"error.{meaning}.text" for meaning in MEANINGS)
    yield from (f"problem.{status}.{part}" for status in (403, 404, 409, 413, 500, 503) for part in ("title", "text"))
    for page in find_pages():
        if page.menu is not None:
            yield from (f"menu.{page.menu.section}", f"menu.group.{page.menu.group}")
    for table in vars(states).values():
        marks = table.values() if isinstance(table, dict) else (table,)
        yield from (mark.word for mark in marks if isinstance(mark, Mark))


def test_every_file_of_the_catalogue_is_told_here() -> None:
    """A new part or language is compared like the others, and all of them lie in one folder of the package."""
    files = {path.name for path in resources.files("leadgate.catalogue").iterdir() if path.name.endswith(".json")}
    assert files == {f"{part}.{locale}.json" for part in PARTS for locale in LOCALES}


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_have_the_same_keys(part: str) -> None:
    """A key that is missing in one language would break a page, the chat or the bot for half of the people."""
    russian, english = set(raw("ru", part)), set(raw("en", part))
    assert russian == english | {key for key in russian if part == "pages" and key.startswith(ONLY_RUSSIAN)}


@pytest.mark.parametrize("locale", LOCALES)
def test_plurals_have_every_form_of_the_language(locale: str) -> None:
    """Russian needs three forms, English two."""
    forms = {"one", "few", "many"} if locale == "ru" else {"one", "many"}
    for key, entry in raw(locale).items():
        assert isinstance(entry, str) or set(entry) == forms, key


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_take_the_same_values(part: str) -> None:
    """Whoever shows a text gives it its values once, whatever the language."""
    english = raw("en", part)
    pairs = {key: (entry, english[key]) for key, entry in raw("ru", part).items() if key in english}
    assert [key for key, (left, right) in pairs.items() if placeholders(left) != placeholders(right)] == []


def test_every_text_of_the_bot_is_said_and_there() -> None:
    """Words nobody hears are taken out, words that are asked for exist; names of channels are put together."""
    package = Path(leadgate.__file__).parent
    rooms = [file for room in ("app", "crm", "dialogue", "processing") for file in package.glob(f"{room}/*.py")]
    code, known = "".join(file.read_text("utf-8") for file in rooms), set(raw("ru", "bot"))
    assert [key for key in known if f'"{key}"' not in code and not key.startswith("channel_")] == []
    assert sorted(set(re.findall(r"""texts\.get\("([^"]+)\"""", code)) - known) == []


def test_every_text_about_requests_is_said() -> None:
    """Letters, days and the bot's answers; kinds and months are put together."""
    code = "".join(file.read_text("utf-8") for file in Path(leadgate.__file__).parent.glob("rights/*.py"))
    made = {f"{part}.{kind}" for part in ("heard", "alarm.what", "letter") for kind in RequestKind}
    made |= {f"month.{month}" for month in range(1, 13)}
    known = set(raw("ru", "requests"))
    assert made - known == set()
    assert [key for key in known - made if f'"{key}"' not in code] == []


def test_every_text_of_consents_is_said_and_there() -> None:
    """As for the bot; what is asked for by purpose and answer is put together."""
    package = Path(leadgate.__file__).parent
    rooms = [file for room in ("crm/consent", "dialogue", "processing") for file in package.glob(f"{room}/*.py")]
    code, known = "".join(file.read_text("utf-8") for file in rooms), set(raw("ru", "consents"))
    families = [
        f"{family}.{purpose}" for family in ("text", "yes", "no", "given", "refused") for purpose in ConsentPurpose
    ]
    assert [key for key in known if f'"{key}"' not in code and key not in families] == []
    assert sorted(set(families) - known) == []
    assert sorted(set(re.findall(r"""words\.get\("([^"]+)\"""", code)) - known) == []


def test_every_text_of_the_chat_is_shown() -> None:
    """As for the bot: in the widget's script or on its page."""
    sources = (*WEB.glob("static/widget*.js"), WEB / "templates/site_chat.html", *WEB.glob("site_*.py"))
    code = "".join(file.read_text("utf-8") for file in sources)
    names = [key.partition(".")[2] for key in raw("ru", "widget")]
    assert [name for name in names if not re.search(rf'(?:texts|words)\.{name}\b|"{name}"', code)] == []


def test_every_key_that_code_names_is_there() -> None:
    """A page that asks for a missing key fails in front of a person."""
    known = set(raw("ru"))
    templates = "".join(file.read_text("utf-8") for file in WEB.glob("templates/*.html"))
    assert sorted(set(re.findall(r"""\bt\(['"]([^'"~]+)['"] *[,)]""", templates)) - known) == []
    known |= (
        set(raw("ru", "flows")) | set(raw("ru", "incident")) | set(raw("ru", "secrets"))
    )  # pages that bring words of their own
    modules = [WEB / f"{name}.py" for name in ("moments", "states", "timeline")] + list(WEB.glob("pages/*.py"))
    named = {key for file in modules for key in QUOTED.findall(file.read_text("utf-8"))}
    assert sorted(key for key in named - known - CODES if not key.endswith(".html")) == []


def test_every_key_made_of_a_value_is_there() -> None:
    """A new state, role or period without words is seen here first."""
    assert sorted(set(made_of_values()) - set(raw("ru"))) == []


def test_every_key_is_used() -> None:
    """Words nobody reads are taken out."""
    families = (*FAMILIES, "problem.")
    used = named_in_code() | set(made_of_values())
    assert sorted(key for key in raw("ru") if key not in used and not key.startswith(families)) == []


def test_every_family_is_in_use() -> None:
    """A family that no key begins with is left over."""
    assert [family for family in FAMILIES if not any(key.startswith(family) for key in raw("ru"))] == []


@pytest.mark.parametrize(
    ("count", "form"), [(1, "one"), (2, "few"), (5, "many"), (11, "many"), (14, "many"), (21, "one"), (0, "many")]
)
def test_russian_plurals_follow_the_language(count: int, form: str) -> None:
    """21 попытка, but 11 попыток."""
    assert plural_form("ru", count) == form


def test_numbers_and_short_words_do_not_part_from_what_follows() -> None:
    """A line never ends with «в» or with a lonely number."""
    words = Catalogue(
        "ru", {"a": "Ждём в CRM", "b": {"one": "{count} раз", "few": "{count} раза", "many": "{count} раз"}}
    )
    assert words("a") == "Ждём в\N{NO-BREAK SPACE}CRM"
    assert words("b", count=12345) == "12\N{NO-BREAK SPACE}345\N{NO-BREAK SPACE}раз"


def test_a_value_cannot_bring_a_placeholder() -> None:
    """Names of people and connections are text, never a pattern."""
    assert load_catalogue("en")("remove.title", name="{count}{0.__class__}") == "Remove “{count}{0.__class__}”?"


def test_every_code_of_the_vendors_is_explained() -> None:
    """A salon reads a sentence, not a code; a new row of a vendor's table is seen here first."""
    codes = {f"bitrix24.{word}" for word in RULES} | set(REVOKED_CODES) | set(_NEEDS_PERSON.values())
    for default, table in _REFUSALS.values():
        codes |= {default, *(code for _, code in table)}
    assert sorted(code for code in codes if not explain(code).is_known) == []


def test_every_code_that_can_reach_a_page_has_words() -> None:
    """Read from the source: an error of a delivery, a finding, a refusal at the door or a reason of an event."""
    package, words = Path(leadgate.__file__).parent, raw("ru")
    families = ("finding.", "refusal.", "reason.")
    codes = {code.code for code in find_codes(package) if not code.code.startswith(NOT_ON_PAGES)}
    silent = {code for code in codes if not explain(code).is_known and not any(f + code in words for f in families)}
    assert sorted(silent - TOLD_ELSEWHERE) == []
    assert sorted(TOLD_ELSEWHERE - silent) == []


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("bitrix24.not_json_200", "unclear"),
        ("bitrix24.http_503", "unclear"),
        ("bitrix24.http_404", "our_call"),
        ("bitrix24.http_", "generic"),
    ],
)
def test_a_code_with_a_status_is_told_by_what_may_have_been_done(code: str, meaning: str) -> None:
    """A refused call did nothing; a broken answer may have."""
    assert explain(code).headline == f"error.{meaning}"


def test_what_a_check_found_is_told_in_the_language_of_the_page() -> None:
    """Russian words first, then the sentence that explains the code; English is the finding's own."""
    finding = Finding("telegram.too_many_requests", FindingState.WARN, "Telegram did not tell.", "Check again later.")
    assert teller(load_catalogue("en"))(finding, "Telegram") == ("Telegram did not tell.", "Check again later.")
    assert teller(load_catalogue("ru"))(finding, "Telegram")[0] == "Telegram просит слать реже."
    missing = Finding("connection.public_url_missing", FindingState.WARN, "Not set.", "Set it.")
    said, cure = teller(load_catalogue("ru"))(missing, "Telegram")
    assert "адрес Leadgate в\N{NO-BREAK SPACE}интернете" in said
    assert "LEADGATE_PUBLIC_URL" in cure


def test_an_unknown_code_is_told_honestly() -> None:
    """Nobody is told a cause that we only guess."""
    told = explain("vendor.never_heard_of")
    assert (told.is_known, told.code, told.headline) == (False, "vendor.never_heard_of", "error.generic")

"""`leadgate consents …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.app.consents import read_locale, read_purpose
from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_fields, print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.consents import ConsentRecord, ConsentText
from leadgate.web.api.documents.consents import (
    consent_detail_document,
    consent_document,
    consent_proof_document,
    consent_rule_document,
    consent_text_document,
)
from leadgate.web.api.documents.plain import cut_page

if TYPE_CHECKING:
    from leadgate.app import App

_MAX_FILE_BYTES = 64 * 1024


def list_all(
    *,
    subject: Annotated[str | None, Parameter(help="Only of this person, subj_….")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List what people agreed to, refused and withdrew, newest first, without their words.

    Example: leadgate consents list --subject subj_01JD… --json
    """
    page = with_app(
        common,
        lambda app: app.consents.records(limit=paging.limit, cursor=paging.cursor, subject_id=subject),
    )
    if common.json:
        print_page(page, consent_document)
        return 0
    print_table(
        ("number", "person", "purpose", "decision", "when", "text", "channel", "how"),
        (_row(record) for record in page.items),
        empty="Nobody has been asked for a consent yet.",
        more=page.next_cursor,
    )
    return 0


def show(number: Annotated[int, Parameter(help="Number of the record.")], /, *, common: Common = NO_OPTIONS) -> int:
    """Show one record with the text that was shown and the client's answer.

    Example: leadgate consents show 7
    """
    record, text = with_app(common, lambda app: app.consents.record(number))
    if common.json:
        print_json(consent_detail_document(record, text, may_reveal=True))
        return 0
    print_lines(
        f"Record {record.number}: {record.purpose.value} {record.decision.value}, {record.subject_id}",
        f"decided {short_time(record.decided_at)} UTC, written down {short_time(record.recorded_at)} UTC",
        f"channel {record.channel or '—'}, by {record.how.value if record.how else '—'}, event {record.event_id}",
        f"answer: {record.words or '—'}",
        f"message {record.message_id or '—'} showed {record.text_id or record.told_version or 'no text of ours'}",
        f"hash {record.record_hash}",
    )
    if text is not None:
        print_lines("", f"{text.purpose.value} {text.locale}, version {text.version}, {text.text_hash}:", text.text)
    return 0


def verify(*, common: Common = NO_OPTIONS) -> int:
    """Prove the register: chain, texts, the very messages, order and audit journal. Exit code 1 names the first bad record.

    Example: leadgate consents verify
    """
    proof = with_app(common, lambda app: app.consents.verify())
    if common.json:
        print_json(consent_proof_document(proof))
    elif proof.bad_number is not None:
        print_lines(f"Record {proof.bad_number} does not fit ({proof.fault}). {_FAULTS[proof.fault or '']}")
    else:
        print_lines(
            f"{proof.records} records fit: {proof.matched} match the message in the chat byte by byte, {proof.gone} have a "
            f"chat that can be read no more, {proof.told} were told by bot builders, {proof.wordless} answer no text of ours; "
            f"the audit journal confirms {proof.journaled}.",
            f"head {proof.head or '—'}",
        )
    return 0 if proof.bad_number is None else 1


_FAULTS = {
    "chain": "It or the one before it was changed after it was written.",
    "text": "The version of the text that it names is not there or has other words.",
    "message": "The message that showed the text has other words or belongs to somebody else.",
    "order": "It withdraws what was never agreed to.",
    "journal": "The audit journal has another hash for it.",
    "missing": "It is not there, though the next one or the audit journal knows of it.",
}


def list_texts(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List every version of every text, the newest of each purpose and language first.

    Example: leadgate consents texts list --json
    """
    overview = with_app(common, lambda app: app.consents.overview())
    unshown = [text for text in overview.texts if not text.text_id]
    page = cut_page([*unshown, *overview.versions], limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, consent_text_document)
        return 0
    print_table(
        ("text", "purpose", "language", "version", "since", "by", "sha256"),
        (_text_row(text) for text in page.items),
        empty="There are no texts.",
        more=page.next_cursor,
    )
    return 0


def set_text(
    purpose: Annotated[str, Parameter(help="processing, passing_on or advertising.")],
    file: Annotated[str, Parameter(help="Text file in UTF-8; - reads standard input.", allow_leading_hyphen=True)],
    /,
    *,
    locale: Annotated[str, Parameter(help="ru or en.")] = "ru",
    common: Common = NO_OPTIONS,
) -> int:
    """Write the salon's own text as a new version; it must say how to withdraw. Who agreed to an older one agreed to that one.

    Example: leadgate consents texts set advertising news.txt --locale ru
    """
    wanted, words = read_purpose(purpose), _read_text(file)

    async def work(app: App) -> ConsentText:
        return await app.consents.write_text(wanted, read_locale(locale), words, by=BY_COMMAND)

    text = with_app(common, work)
    if common.json:
        print_json(consent_text_document(text))
    else:
        print_lines(f"{text.text_id}: version {text.version} of {purpose} in {locale} is shown from now on.")
    return 0


def rule(
    *,
    ask: Annotated[
        bool | None,
        Parameter(help="Ask for consent before name and phone; with --no-ask only say what they are for."),
    ] = None,
    advertise: Annotated[
        bool | None, Parameter(help="Ask for consent to advertising when a request is complete.")
    ] = None,
    pass_on_to: Annotated[str | None, Parameter(help='To whom data are handed on, by name; "" for nobody.')] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Show what the bot asks for, or change it.

    Example: leadgate consents rule --advertise
    """

    async def work(app: App) -> object:
        if ask is None and advertise is None and pass_on_to is None:
            return consent_rule_document((await app.consents.overview()).rule)
        changed = await app.consents.change_rule(
            asks_processing=ask, advertises=advertise, passes_on_to=pass_on_to, by=BY_COMMAND
        )
        return consent_rule_document(changed)

    document = with_app(common, work)
    if common.json:
        print_json(document)
        return 0
    print_fields(document, but=())
    return 0


def _read_text(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read(_MAX_FILE_BYTES + 1) if file == "-" else Path(file).read_bytes()
        if len(raw) > _MAX_FILE_BYTES:
            raise ConfigurationError("The text file is too large for a text of consent.", code="consent.text_wrong")
        return raw.decode("utf-8")
    except OSError as error:
        raise ConfigurationError(f"The text file cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError("The text file is not UTF-8.") from None


def _row(record: ConsentRecord) -> tuple[str, ...]:
    return (
        str(record.number),
        record.subject_id,
        record.purpose.value,
        record.decision.value,
        short_time(record.decided_at),
        record.text_id or "—",
        record.channel or "—",
        record.how.value if record.how else "—",
    )


def _text_row(text: ConsentText) -> tuple[str, ...]:
    return (
        text.text_id or "not shown yet",
        text.purpose.value,
        text.locale,
        str(text.version),
        short_time(text.since),
        text.made_by,
        text.text_hash,
    )

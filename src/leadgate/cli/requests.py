"""`leadgate requests …`: what people ask about their own data. Words of people never travel in arguments."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_fields, print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.requests import (
    NewRequest,
    RequestDetail,
    RequestKind,
    RequestOutcome,
    RequestState,
    RequestView,
    RequestWay,
    RequestWords,
)
from leadgate.model.views import Page
from leadgate.web.api.documents.requests import (
    RequestIdDocument,
    RequestPersonDocument,
    RequestStateDocument,
    RequestTermDocument,
    request_detail_document,
    request_document,
    request_words_document,
)

if TYPE_CHECKING:
    from leadgate.app import App

RequestId = Annotated[str, Parameter(help="Id of the request, req_….")]
_LONGEST_WORDS = 4000


def list_all(
    *,
    state: Annotated[Literal["open", "closed"] | None, Parameter(help="Only open ones, or only closed ones.")] = None,
    paging: Paging = FIRST_PAGE,
    common: Common = NO_OPTIONS,
) -> int:
    """List requests: open ones by urgency, then closed ones, the last first.

    Example: leadgate requests list --state open
    """

    async def work(app: App) -> Page[RequestView]:
        is_open = None if state is None else state == "open"
        return await app.requests.page(is_open=is_open, limit=paging.limit, cursor=paging.cursor)

    page = with_app(common, work)
    if common.json:
        print_page(page, request_document)
        return 0
    print_table(
        ("id", "asked", "came (UTC)", "how", "whose", "answer by", "working days left"),
        ((*_row(view),) for view in page.items),
        empty="Nobody asked anything about their data.",
        more=page.next_cursor,
    )
    return 0


def show(
    request_id: RequestId,
    /,
    *,
    words: Annotated[
        bool, Parameter(help="Also what the person wrote (personal data; the journal notes it).", negative=())
    ] = False,
    common: Common = NO_OPTIONS,
) -> int:
    """Show one request with its history.

    Example: leadgate requests show req_01JD…
    """

    async def work(app: App) -> tuple[RequestDetail, RequestWords | None]:
        read = await app.requests.read(request_id, by=BY_COMMAND) if words else None
        return await app.requests.detail(request_id), read

    detail, read = with_app(common, work)
    document = request_detail_document(detail)
    written = None if read is None else request_words_document(request_id, read)
    if common.json:
        print_json(document if written is None else {"detail": document, "written": written})
        return 0
    print_fields(document.request, but=())
    for step in detail.steps:
        print_lines(f"{step.number}. {short_time(step.at)} {step.step.value}, {step.by_name or step.by}")
    if written is not None:
        print_lines(f"words: {written.words or '(none)'}", *(f"note {one.number}: {one.note}" for one in written.notes))
    return 0


def write_down(
    kind: Annotated[RequestKind, Parameter(help="What is asked.")],
    /,
    *,
    way: Annotated[RequestWay, Parameter(help="How it came.")] = RequestWay.PAPER,
    received: Annotated[str | None, Parameter(help="The day it came, 2026-11-23; default today.")] = None,
    who_file: Annotated[
        str | None,
        Parameter(
            help="File with the person's phone, e-mail address, @name or id; - reads standard input. Without it nobody yet.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    words_file: Annotated[Path | None, Parameter(help="File with what the person wrote.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Write down a request that came on paper, by e-mail or in person. Chats are written down by themselves.

    Example: leadgate requests open access --way paper --received 2026-11-23
    """
    new = NewRequest(
        kind=kind,
        way=way,
        received_on=_read_day(received),
        who=None if who_file is None else _read_who(who_file),
        words="" if words_file is None else _read_words(words_file),
    )

    async def work(app: App) -> RequestDetail:
        return await app.requests.detail(await app.requests.open(new, by=BY_COMMAND))

    view = with_app(common, work).view
    if common.json:
        print_json(RequestIdDocument(request=view.request_id))
    else:
        print_lines(f"{view.request_id} is written down; answer by {view.due_on}.")
    return 0


def assign(
    request_id: RequestId,
    /,
    *,
    who_file: Annotated[
        str,
        Parameter(
            help="File with the person's phone, e-mail address, @name or id; - reads standard input.",
            allow_leading_hyphen=True,
        ),
    ],
    common: Common = NO_OPTIONS,
) -> int:
    """Say whose request it is. A phone is personal data, so it comes by a file, not as an argument.

    Example: leadgate requests assign req_01JD… --who-file -
    """
    who = _read_who(who_file)
    with_app(common, lambda app: app.requests.assign(request_id, who, by=BY_COMMAND))
    if common.json:
        print_json(RequestPersonDocument(request=request_id))
    else:
        print_lines(f"It is known now whose request {request_id} is.")
    return 0


def extend(
    request_id: RequestId,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why more time is needed; the person is told. No personal data.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Move the last day of a request on, once; then send the person the letter of `requests answer`.

    Example: leadgate requests extend req_01JD… --reason "the archive is on paper"
    """
    due_on = with_app(common, lambda app: app.requests.extend(request_id, reason=reason, by=BY_COMMAND))
    if common.json:
        print_json(RequestTermDocument(request=request_id, due_on=due_on.isoformat()))
    else:
        print_lines(
            f"{request_id} has to be answered by {due_on} now. Tell the person why before the first day is over."
        )
    return 0


def close(
    request_id: RequestId,
    /,
    *,
    outcome: Annotated[RequestOutcome, Parameter(help="How it ended.")] = RequestOutcome.DONE,
    note: Annotated[str, Parameter(help="A note; of a refusal the reason that the person is told.")] = "",
    common: Common = NO_OPTIONS,
) -> int:
    """End a request.

    Example: leadgate requests close req_01JD… --outcome done
    """
    with_app(common, lambda app: app.requests.close(request_id, outcome, note=note, by=BY_COMMAND))
    if common.json:
        print_json(RequestStateDocument(request=request_id, state=RequestState.CLOSED))
    else:
        print_lines(f"{request_id} is closed.")
    return 0


def answer(
    request_id: RequestId,
    /,
    *,
    out: Annotated[Path, Parameter(help="Where the PDF is written.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Print the letter of answer, filled in by the kind of request; while its term is extended, the notice of that.

    Example: leadgate requests answer req_01JD… --out answer.pdf
    """
    paper = with_app(common, lambda app: app.requests.answer(request_id, by=BY_COMMAND))
    try:
        out.touch(mode=0o600)  # it may hold a name
        out.write_bytes(paper)
    except OSError as error:
        raise ConfigurationError(f"The letter cannot be written to {out}: {error.strerror}.") from None
    if common.json:
        print_json({"request": request_id, "out": str(out)})
    else:
        print_lines(f"The letter is in {out}.")
    return 0


def _row(view: RequestView) -> tuple[str, ...]:
    left = view.outcome.value if view.outcome is not None else "late" if view.is_late else str(view.days_left)
    return (
        view.request_id,
        view.kind.value,
        short_time(view.received_at),
        view.way.value,
        view.subject_id or "(not known)",
        str(view.due_on),
        left,
    )


def _read_day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("A day is written like 2026-11-23.") from None


def _read_who(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The file cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise ConfigurationError("The file names nobody.")
    return text.strip()


def _read_words(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")[:_LONGEST_WORDS]
    except OSError as error:
        raise ConfigurationError(f"The file cannot be read: {error.strerror}.") from None

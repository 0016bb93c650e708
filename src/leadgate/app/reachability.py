"""Who can be written to, who would be lost without a channel, and links that bring people to another one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from leadgate.connections.book import ConnectionBook, is_active
from leadgate.crm.identity import Identities
from leadgate.crm.links import StartLinks
from leadgate.crm.reach_report import Reachable
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.intake.phones import find_e164
from leadgate.model.leads import LeadRef
from leadgate.model.reach import InvitationLink, LostPerson, ReachReport
from leadgate.model.views import Page
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.ports.stores import Transaction
from leadgate.storage.queries import MAX_PAGE
from leadgate.storage.sql_storage import SqlStorage
from leadgate.vault.envelope import Vault, subject_scope

_log = get_logger("reach")


class Reachability:
    """See `web.house.Reachability`."""

    def __init__(
        self,
        storage: SqlStorage,
        book: ConnectionBook,
        vault: Vault,
        links: StartLinks,
        *,
        kinds: Callable[[], Sequence[str]],
        clock: Clock,
    ) -> None:
        """Answer from these; `kinds` are those that can be connected."""
        self._storage = storage
        self._book = book
        self._vault = vault
        self._links = links
        self._kinds = kinds
        self._clock = clock

    async def report(self) -> ReachReport:
        """The numbers, as of now."""
        return (await self._reachable()).report()

    async def lost_without(self, kind: str, *, limit: int, cursor: str | None = None) -> Page[LostPerson]:
        """Who could not be written to any more if this channel closed.

        Raises:
            ConfigurationError: there is no such kind, or the cursor is not one of ours.
        """
        self._book.integration(kind)  # which knows the kinds there are, and names them
        limit = max(1, min(limit, MAX_PAGE))
        after = "" if cursor is None else _read_cursor(cursor)
        reachable = await self._reachable()
        rest = [person for person in reachable.only_in(kind) if person > after]
        people = rest[:limit]
        subjects = [subject for person in people for subject in reachable.subjects_of(person)]
        refs = await self._storage.query(lambda q: q.last_refs(subjects))
        found = [
            LostPerson(
                subject_id=person,
                crm_ref=_newest(refs, reachable.subjects_of(person)),
                has_phone=reachable.has_phone(person),
            )
            for person in people
        ]
        return Page(found, _make_cursor(people[-1]) if len(rest) > limit else None)

    async def invite(self, who: str, *, to: str | None = None, by: str) -> Sequence[InvitationLink]:
        """A fresh link for a person into each channel that has links, or into the connection `to`.

        Args:
            who: a phone, an e-mail address, a user name with `@`, or an id of ours (`subj_…`, `lead_…`, `evt_…`).

        Raises:
            NotFoundError: nobody is known by that, or there is no such connection.
            ConflictError: no connection can be begun by a link.
        """
        opened = None if to is None else self._book.find(to)
        if to is not None and opened is None:
            raise NotFoundError(f"There is no connection {to}.", hint="See: leadgate connections list")
        at = self._clock.now()
        links = await self._storage.write(lambda tx: self._invite(tx, who, to, at=at))
        if not links:
            raise ConflictError(
                "No connection can be begun by a link." if to is None else f"Nobody can be invited to {to} by a link.",
                code="reach.no_link",
                hint="It has to be active, and a check has to have found out its name: leadgate connections check",
            )
        _log.info("reach.invited", count=len(links), action=by)
        return links

    def _invite(self, tx: Transaction, who: str, to: str | None, *, at: datetime) -> Sequence[InvitationLink]:
        subject_id = self.find_subject(tx, who.strip())
        # The identifier may be personal: an error does not repeat it.
        if subject_id is None or tx.keys.find(subject_scope(subject_id)) is None:
            raise NotFoundError("Nobody is known by that.", hint="Give a phone, an e-mail address, or an id of ours.")
        subject_id = Identities.root(tx, subject_id)
        return [
            InvitationLink(connection_id=link.connection_id, kind=link.kind, url=link.url, expires_at=link.expires_at)
            for link in self._links.make(tx, subject_id, at=at, connection_id=to)
        ]

    def find_subject(self, tx: Transaction, who: str) -> str | None:
        """Who is known by that (see `invite`); None when nobody is."""
        kind, _, _ = who.partition("_")
        match kind:
            case "subj":
                return who
            case "lead":
                lead = tx.leads.find(who)
                return None if lead is None else lead.subject_id
            case "evt":
                event = tx.events.find(who)
                return None if event is None else event.subject_id
            case _:
                marks = self._marks(who)
        found = (tx.subjects.find_by(name, self._vault.index(tx.workspace_id, name, value)) for name, value in marks)
        return next((subject for subject in found if subject is not None), None)

    def _marks(self, who: str) -> list[tuple[str, str]]:
        if who.startswith("@"):
            return [(f"username:{kind}", who[1:].casefold()) for kind in self._kinds()]
        if "@" in who:
            return [("email", who.casefold())]
        phone = find_e164(who)
        return [] if phone is None else [("phone", phone)]

    async def _reachable(self) -> Reachable:
        kinds = {
            opened.connection.connection_id: opened.connection.kind
            for opened in self._book.all()
            if is_active(opened.connection) and self._book.integration(opened.connection.kind).open_channel is not None
        }
        facts = await self._storage.query(lambda q: q.reach())
        return Reachable.of(facts, kinds.get)


def _newest(refs: Mapping[str, tuple[int, LeadRef]], subjects: Sequence[str]) -> LeadRef | None:
    found = [refs[subject] for subject in subjects if subject in refs]
    return max(found, key=lambda place: place[0])[1] if found else None


def _make_cursor(person: str) -> str:
    return base64.urlsafe_b64encode(f"p{person}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    if not text.startswith("p"):
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    return text[1:]

"""The table of rights, read from the code: which guard stands before which page and which endpoint, and whom it lets pass.

`scripts/reference.py` writes it to `docs/security/rights.md`; `tests/web/test_rights.py` walks every cell of that page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadgate.model.staff import PROOF_LIFE, Role
from leadgate.web.access import ALLOWED, Act, ActGuard, fresh, may
from leadgate.web.api.router import find_endpoints
from leadgate.web.base import find_pages

METHODS = ("GET", "POST", "DELETE")
_YES, _NO = "yes", "—"


@dataclass(frozen=True, slots=True)
class Right:
    """One address and method.

    Attributes:
        act: what a role must be allowed; None when being signed in is enough.
        is_open: strangers may come as well.
        is_fresh: who somebody is must have been shown within ten minutes.
    """

    path: str
    method: str
    act: Act | None
    is_open: bool
    is_fresh: bool

    def allows(self, role: Role | None) -> bool:
        """Whether this role may; None stands for nobody."""
        return self.is_open or (role is not None and (self.act is None or may(role, self.act)))


def page_rights() -> list[Right]:
    """Every page and every form of one."""
    found = []
    for page in find_pages():
        for handler in page.handlers:
            guards = list(handler.guards or ())
            acts = [guard.act for guard in guards if isinstance(guard, ActGuard)]
            found += [
                Right(path.replace(":str", ""), method, acts[0] if acts else None, page.is_open, fresh in guards)
                for path in handler.paths
                for method in METHODS
                if method in handler.http_methods
            ]
    return sorted(found, key=lambda right: (right.path, right.method))


def api_rights() -> list[Right]:
    """Every endpoint under `/api/v1`."""
    found = [Right(one.path, one.method, one.act, is_open=False, is_fresh=False) for one in find_endpoints()]
    return sorted(found, key=lambda right: (right.path, right.method))


def rights_page() -> Iterator[str]:
    """The page."""
    yield from (
        "# Who may do what",
        "",
        "<!-- Written by `make reference` from the code; change the code, not this page. -->",
        "",
    )
    yield "Each row is an address with the guard that stands before it in the code; each cell is tried by a test."
    yield "`nobody` is a stranger without session or token. Reading needs no act: everybody who is signed in may."
    minutes = int(PROOF_LIFE.total_seconds()) // 60
    yield f"`fresh`: who somebody is must have been shown within {minutes} minutes, by passkey, code or password."
    yield ""
    yield "Beside the address the role decides what is told: phones, names and words of clients are masked on every page,"
    yield "and are shown to whoever has the act `reveal` (`fix` for a dead lead, `privacy` for a person's rights) after a reason"
    yield "that goes into the audit journal. An API token may less than its role when it has scopes."
    yield "Commands are run on the server by whoever may read the data directory; the journal calls them `command`."
    yield from (
        "",
        "## Acts",
        "",
        "| act |" + "".join(f" {role.value} |" for role in Role),
        "|---|" + "---|" * len(Role),
    )
    for act in Act:
        yield f"| {act.value} |" + "".join(f" {_YES if act in ALLOWED[role] else _NO} |" for role in Role)
    yield from ("", "## Pages", "", *_table(page_rights()))
    yield from ("", "## API", "", "Under `/api/v1`.", "", *_table(api_rights()))


def _table(rights: list[Right]) -> Iterator[str]:
    columns = (*Role, None)
    names = "".join(f" {role.value if role else 'nobody'} |" for role in columns)
    yield f"| method | address | act | fresh |{names}"
    yield "|---|---|---|---|" + "---|" * len(columns)
    for right in rights:
        cells = "".join(f" {_YES if right.allows(role) else _NO} |" for role in columns)
        act = right.act.value if right.act else "—"
        yield f"| {right.method} | `{right.path}` | {act} | {_YES if right.is_fresh else _NO} |{cells}"

"""What an address of the API is: method, path, who may, what it takes and answers.

A module of `resources/` offers `ENDPOINTS`. What an endpoint takes and answers stands in the signatures of its functions alone:
the requests are read by them and the OpenAPI document is made from them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_type_hints

from msgspec import Meta, Struct

from leadgate.app import App
from leadgate.model.staff import ApiToken
from leadgate.web.access import Act, may

Q = TypeVar("Q")
B = TypeVar("B")

Id = Annotated[str, Meta(pattern="^[A-Za-z0-9_]{1,64}$")]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """Takes nothing."""


class Listing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every listing takes these; `cursor` is `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    cursor: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request whose sender is known and may do this.

    Attributes:
        names: the parts of the path by name.
    """

    house: App
    token: ApiToken
    query: Q
    body: B
    names: Mapping[str, str]

    @property
    def by(self) -> str:
        """Who acts, as the history shows it."""
        return self.token.token_id

    def may(self, act: Act) -> bool:
        """True when the token's role may do this."""
        return may(self.token.role, act)


Work = Callable[[Call[Any, Any]], Awaitable[Any]]
Tell = Callable[[Call[Any, Any], Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one address; made by `reads` and `writes`.

    Attributes:
        path: under `/api/v1`, with `{names}`.
        query, body, answer: types.
        act: what the role must be allowed; None when reading is enough.
        work: does it.
        tell: makes the answer of what the work, or its one commit, returned.
        is_one_commit: the effect is one transaction of ours, in which the answer can be kept.
        is_kept: the answer is kept for a repeat under the same key; never one that tells of a person.
    """

    method: str
    path: str
    query: type
    body: type
    answer: Any
    act: Act | None
    status: int
    work: Work
    tell: Tell
    is_one_commit: bool
    is_kept: bool = True

    @property
    def is_write(self) -> bool:
        """True when it changes something."""
        return self.method != "GET"

    @property
    def area(self) -> str:
        """The part of the API it belongs to, as scopes of tokens name it: `deliveries` of `/deliveries/{delivery_id}`."""
        return self.path.split("/")[1]

    @property
    def operation(self) -> str:
        """Its name in the OpenAPI document."""
        return self.work.__name__


def reads(path: str, work: Work, *, act: Act | None = None) -> Endpoint:
    """An address that is read; the work returns what is answered."""
    query, body = _takes(work)
    return Endpoint(
        method="GET",
        path=path,
        query=query,
        body=body,
        answer=get_type_hints(work)["return"],
        act=act,
        status=200,
        work=work,
        tell=lambda _, result: result,
        is_one_commit=False,
    )


def asks(path: str, work: Work, *, act: Act) -> Endpoint:
    """An address that is asked by POST, because the question or the answer is personal; nothing of it is kept."""
    query, body = _takes(work)
    return Endpoint(
        method="POST",
        path=path,
        query=query,
        body=body,
        answer=get_type_hints(work)["return"],
        act=act,
        status=200,
        work=work,
        tell=lambda _, result: result,
        is_one_commit=False,
        is_kept=False,
    )


def writes(
    path: str,
    work: Work,
    tell: Tell,
    *,
    act: Act,
    method: str = "POST",
    status: int = 200,
    is_one_commit: bool = True,
) -> Endpoint:
    """An address that changes something."""
    query, body = _takes(work)
    return Endpoint(
        method=method,
        path=path,
        query=query,
        body=body,
        answer=get_type_hints(tell)["return"],
        act=act,
        status=status,
        work=work,
        tell=tell,
        is_one_commit=is_one_commit,
    )


def _takes(work: Work) -> tuple[type, type]:
    query, body = get_args(get_type_hints(work)["call"])
    return query, body

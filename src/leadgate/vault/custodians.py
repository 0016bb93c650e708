"""Several custodians as one: the present one wraps, former ones still open, and its absence stops nobody for long.

While the present one is away it is not asked from within anybody's work: calls fail at once until a look finds it back. Data keys
of new people are wrapped meanwhile by a key that it wrapped itself and that was opened before (the bridge, held in memory alone);
they are wrapped anew when it is back. Nothing is ever on the disk in clear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from leadgate.errors import CustodianUnavailableError, TamperedError, UnknownKeyError
from leadgate.ports.clock import Clock
from leadgate.ports.custodian import Custodian, Wrapped
from leadgate.vault.ciphers import Cipher
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import KIND as FILE

BRIDGE = "bridge"
LOOK_EVERY_S = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Absence:
    """Since when a custodian does not serve, and the code of its refusal."""

    kind: str
    since: datetime
    code: str


class Custodians:
    """See `ports.custodian.Custodian`; calls go to the member whose kind stands before the colon of the key's id."""

    def __init__(self, members: Iterable[Custodian], clock: Clock) -> None:
        """The first of them is the present one until `use` says otherwise."""
        self._members = {member.kind: member for member in members}
        self._present = next(iter(self._members))
        self._used: str | None = None
        self._clock = clock
        self._absences: dict[str, Absence] = {}
        self._looked_at_s = float("-inf")
        self._bridge: tuple[str, Cipher] | None = None

    @property
    def kind(self) -> str:
        """Of the present one."""
        return self._present

    @property
    def file(self) -> FileCustodian | None:
        """The key file while it is the present custodian."""
        member = self._members[self._present]
        return member if isinstance(member, FileCustodian) else None

    @property
    def any_file(self) -> FileCustodian | None:
        """The key file, also while another custodian is the present one."""
        member = self._members.get(FILE)
        return member if isinstance(member, FileCustodian) else None

    @property
    def absence(self) -> Absence | None:
        """Since when the present one is away; None while it serves."""
        return self._absences.get(self._present)

    def kinds(self) -> frozenset[str]:
        """Every member."""
        return frozenset(self._members)

    def add(self, member: Custodian) -> None:
        """One more, in the place of a former one of its kind."""
        self._members[member.kind] = member
        self._absences.pop(member.kind, None)

    def build_bridge(self, keyset: bytes) -> None:
        """Hold this key for the time when the present one is away."""
        self._bridge = (f"{BRIDGE}:" + hashlib.sha256(b"leadgate-bridge-id" + keyset).hexdigest()[:16], Cipher(keyset))

    @property
    def has_bridge(self) -> bool:
        """True when the absence of the present one would stop nobody."""
        return self._bridge is not None

    def key_id(self) -> str:
        """Which key wraps."""
        return self._members[self._present].key_id()

    def key_id_known(self) -> str | None:
        """Which key wraps, without asking anybody; None while nobody said."""
        return self._used

    def key_ids(self) -> frozenset[str]:
        """Every key of every member."""
        return frozenset().union(*(member.key_ids() for member in self._members.values()))

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """By the present one, or over the bridge while it is away.

        Raises:
            CustodianUnavailableError: it is away and there is no bridge.
        """
        try:
            return self._ask(self._present, lambda member: member.wrap(data_key, context))
        except CustodianUnavailableError:
            if self._bridge is None:
                raise
            key_id, cipher = self._bridge
            return Wrapped(cipher.seal(data_key, context), key_id)

    def wrap_for_good(self, data_key: bytes, context: bytes) -> Wrapped:
        """By the present one and no other way.

        Raises:
            CustodianUnavailableError: it is away.
        """
        return self._ask(self._present, lambda member: member.wrap(data_key, context))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """By whoever wrapped it.

        Raises:
            UnknownKeyError: nobody here did, or it was changed.
            CustodianUnavailableError: that one is away.
        """
        kind = _kind(wrapped.key_id)
        if kind == BRIDGE:
            return self._over_bridge(wrapped, context)
        return self._ask(kind, lambda member: member.unwrap(wrapped, context))

    def rotate(self) -> str:
        """A further key of the present one."""
        return self._ask(self._present, lambda member: member.rotate())

    def use(self, key_id: str) -> None:
        """Wrap with this key from now on; its custodian is the present one then."""
        kind = _kind(key_id)
        self._ask(kind, lambda member: member.use(key_id))
        self._present, self._used = kind, key_id

    def drop(self, key_ids: frozenset[str]) -> None:
        """Each by its own custodian."""
        for kind, member in self._members.items():
            member.drop(frozenset(key_id for key_id in key_ids if _kind(key_id) == kind))

    def check(self) -> None:
        """Ask the present one whether it serves, also while it is thought to be away.

        Raises:
            CustodianUnavailableError: it does not.
        """
        self._looked_at_s = self._clock.monotonic_s()
        self._try(self._present, lambda member: member.check())

    def look(self) -> Absence | None:
        """Ask it now and then; since when it is away, or None."""
        is_time = self._clock.monotonic_s() - self._looked_at_s >= LOOK_EVERY_S
        for kind in [kind for kind in self._absences if kind != self._present] if is_time else ():
            _quietly(lambda kind=kind: self._try(kind, lambda member: member.check()))  # type: ignore[misc]  # this turn's kind
        if is_time or self.absence is not None:
            _quietly(self.check)
        return self.absence

    def _over_bridge(self, wrapped: Wrapped, context: bytes) -> bytes:
        if self._bridge is None or self._bridge[0] != wrapped.key_id:
            raise _stranger()
        try:
            return self._bridge[1].open(wrapped.content, context)
        except TamperedError:
            raise _stranger() from None

    def _ask(self, kind: str, work: Callable[[Custodian], T]) -> T:
        """Not at all while it is away: whoever asks holds up others."""
        absence = self._absences.get(kind)
        if absence is not None:
            raise CustodianUnavailableError(
                "The custodian of the key encryption key is away.",
                code=absence.code,
                hint="It is asked again every few seconds; see: leadgate keys status",
            )
        return self._try(kind, work)

    def _try(self, kind: str, work: Callable[[Custodian], T]) -> T:
        member = self._members.get(kind)
        if member is None:
            raise _stranger()
        try:
            result = work(member)
        except CustodianUnavailableError as error:
            known = self._absences.get(kind)
            self._absences[kind] = Absence(kind, self._clock.now() if known is None else known.since, error.code)
            raise
        self._absences.pop(kind, None)
        return result


class WithoutBridge:
    """For what has to open elsewhere, where nobody holds the bridge: a backup. See `ports.custodian.KeyWrapper`."""

    def __init__(self, custodians: Custodians) -> None:
        """The same custodians."""
        self._custodians = custodians

    def key_id(self) -> str:
        """Which key wraps."""
        return self._custodians.key_id()

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """By the present one and no other way."""
        return self._custodians.wrap_for_good(data_key, context)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """By whoever wrapped it."""
        return self._custodians.unwrap(wrapped, context)


def _quietly(ask: Callable[[], None]) -> None:
    try:
        ask()
    except (CustodianUnavailableError, UnknownKeyError):
        return  # it is remembered as away


def _kind(key_id: str) -> str:
    return key_id.partition(":")[0]


def _stranger() -> UnknownKeyError:
    return UnknownKeyError(
        "No custodian here has the key that wrapped this.",
        hint="Put back the key file or key-custodians.json that belongs to this data directory.",
    )

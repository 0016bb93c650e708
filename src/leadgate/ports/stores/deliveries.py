"""Deliveries with their attempts, and the lanes they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadgate.model.deliveries import AttemptKind, AttemptOutcome, DeliveryKind, DeliveryState
from leadgate.ports.stores.records import Lease, StoredDelivery


class DeliveryStore(Protocol):
    """Deliveries and their attempts."""

    def add(self, delivery: StoredDelivery) -> None:
        """Keep a new delivery at the end of its lane."""
        ...

    def open_in_lane(self, lane: str, *, limit: int) -> Sequence[StoredDelivery]:
        """Open deliveries of a lane, oldest first, parked ones left out."""
        ...

    def work_in_lane(
        self, lane: str, *, now: datetime, limit: int, fresh_since: datetime, fresh_limit: int
    ) -> Sequence[StoredDelivery]:
        """What `plan_lane` needs, in the order in which it should go; those of one lead oldest first.

        Due deliveries of leads, but for those that an earlier one of their lead holds up by not being due; and those of a chat
        from the first open one on. However many wait or are held up, they hide nothing that could go.

        Args:
            limit: most of the oldest.
            fresh_since: when more are due than `limit`, the leads of those created since then go first.
            fresh_limit: most of such deliveries, the newest, that choose their leads.
        """
        ...

    def uncertain_in_lane(self, lane: str) -> Sequence[StoredDelivery]:
        """Messages in the lane of a chat of which nobody knows whether they arrived, oldest first."""
        ...

    def of_event(self, event_id: str) -> Sequence[StoredDelivery]:
        """Everything that an event brought about, whatever became of it, oldest first."""
        ...

    def reseal(self, delivery_id: str, sealed_payload: bytes) -> None:
        """Another payload for the same duty, whose state stays."""
        ...

    def next_due(self, lane: str, *, now: datetime) -> datetime | None:
        """When the first of those that are not due yet becomes due."""
        ...

    def find(self, delivery_id: str) -> StoredDelivery | None:
        """One delivery."""
        ...

    def start_attempts(self, deliveries: Sequence[StoredDelivery], *, kind: AttemptKind, at: datetime) -> None:
        """Count and write an attempt of each; for a send the state becomes `sending`."""
        ...

    def end_attempt(
        self, delivery_id: str, number: int, *, outcome: AttemptOutcome, error_code: str | None, at: datetime
    ) -> None:
        """Write how an attempt ended."""
        ...

    def settle(
        self,
        delivery_id: str,
        *,
        state: DeliveryState,
        due_at: datetime | None,
        failures: int,
        error_code: str | None,
        error_detail: str | None,
        external_id: str | None,
        at: datetime,
    ) -> None:
        """Give a delivery its new state."""
        ...

    def reopen(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """Put a dead or uncertain delivery back to `waiting`, due now, blame cleared; None when it is in another state."""
        ...

    def discard(self, delivery_id: str, *, reason: str, by: str, at: datetime) -> StoredDelivery | None:
        """Give a waiting, dead or uncertain delivery up; None when it is in another state."""
        ...

    def park(self, delivery_id: str) -> None:
        """Nothing to do for it until `unpark` of its lead."""
        ...

    def put_off(self, delivery_id: str, *, until: datetime) -> None:
        """It is due later than it was."""
        ...

    def limit_doubt(self, lane: str, *, until: datetime) -> None:
        """No delivery of unknown outcome in the lane waits longer than this."""
        ...

    def bring_forward(self, *, now: datetime) -> None:
        """Whatever is to be sent, or was being sent, is due now, in every lane; those of unknown outcome go on waiting."""
        ...

    def unpark(self, *lead_ids: str, at: datetime) -> int:
        """These leads are in the CRM, or about to be: their parked entries are due; returns how many."""
        ...

    def move_open(self, connection_id: str, *, to_connection_id: str, to_lane: str) -> int:
        """Every open delivery of a connection goes to another one, in the same order; returns how many. Wake the lane yourself."""
        ...

    def give_up_lane(self, lane: str, *, error_code: str, at: datetime) -> int:
        """What waits in a lane is discarded for this reason; what is being sent goes on. Returns how many."""
        ...

    def confirm(self, delivery_id: str, *, at: datetime) -> StoredDelivery | None:
        """An uncertain delivery did arrive: it is done; None when it is in another state."""
        ...

    def dead(self, *, limit: int, cause: str | None = None) -> Sequence[StoredDelivery]:
        """Dead letters, oldest first; with this error code alone when `cause` is given ("" for those without one)."""
        ...

    def of_lead(self, lead_id: str) -> Sequence[StoredDelivery]:
        """Open deliveries of a lead, oldest first."""
        ...

    def replace(
        self, delivery_id: str, *, kind: DeliveryKind, lead_id: str, sealed_payload: bytes, due_at: datetime
    ) -> None:
        """Give an open delivery a new payload and lead, back to `waiting`."""
        ...


class LaneStore(Protocol):
    """Lanes and their leases."""

    def wake(self, lane: str, *, connection_id: str | None, due_at: datetime) -> None:
        """Make sure that the lane is looked at by `due_at` at the latest."""
        ...

    def claim(self, *, holder: str, now: datetime, until: datetime, limit: int) -> Sequence[Lease]:
        """Take lanes with work due that nobody holds (paused and frozen connections left out); each claim raises the fence."""
        ...

    def is_frozen(self, connection_id: str | None) -> bool:
        """True when nothing may be sent through the connection because of an incident."""
        ...

    def claim_one(self, lane: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take this lane unless somebody else holds it; makes it when it is new."""
        ...

    def renew(self, lease: Lease, *, until: datetime) -> bool:
        """Keep a lane for longer; False when it was lost."""
        ...

    def hold(self, lease: Lease) -> bool:
        """Lock the lane's row for this transaction; False when the lease was lost, then nothing may be written."""
        ...

    def release(
        self,
        lease: Lease,
        *,
        due_at: datetime | None,
        failures: int,
        problem: str | None,
        problem_since: datetime | None,
    ) -> None:
        """Give the lane back; its next look is at `due_at`, None when it has no work. No effect when the lease was lost.

        Call it in the transaction that read the lane's deliveries under `hold`, so that none that is added meanwhile is overlooked.
        """
        ...

    def holders(self) -> Sequence[str]:
        """Everybody who holds a lane."""
        ...

    def free(self, holder: str) -> int:
        """Take every lane away from a holder that is gone for certain; returns how many."""
        ...

    def bring_forward(self, *, now: datetime, lease_limit: datetime, lease_until: datetime) -> None:
        """Look at every lane with work now, its problem remembered; a lease beyond `lease_limit` is cut to `lease_until`."""
        ...

    def resume(self, connection_id: str, *, now: datetime) -> None:
        """Look at every lane of a connection now, its waiting time forgiven."""
        ...

"""Faults on demand: what can go wrong with the portal, when it does, and how a fault is written in one line.

This module decides *whether* a fault strikes a request; what it then does is in `mishaps.py`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from enum import Enum

MAX_FAULTS = 100
MAX_DELAY_S = 3600.0
MAX_SIZE_MB = 256


class FaultName(Enum):
    """Every fault that the sandbox can play; what each does stands in `docs/howto/sandbox.md`."""

    DROP_ANSWER = "drop-answer"
    LATE_COMMIT = "late-commit"
    ERROR_500 = "error-500"
    ERROR_500_AFTER = "error-500-after"
    LIMIT_503 = "limit-503"
    OPERATION_429 = "operation-429"
    HTML_502 = "html-502"
    DOWN = "down"
    SLOW = "slow"
    REVOKED = "revoked"
    EXPIRED_PLAN = "expired-plan"
    MOVED = "moved"
    HUGE = "huge"
    WRONG_TYPES = "wrong-types"


class UnknownFaultError(ValueError):
    """The fault is written wrongly; the text says what is expected and is safe to show."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """When a fault strikes and how.

    Attributes:
        count: how many requests it strikes before it is gone; None for ever.
        probability: the share of matching requests that it strikes, 0 to 1.
        seed: the start of the fault's own dice, so that a run can be repeated.
        method: only requests that call this method, alone or inside a batch; None for all.
        delay_s: how late the commit or the answer comes (`late-commit`, `slow`).
        host: the new address of the portal (`moved`).
        size_mb: how big the answer grows (`huge`).
    """

    count: int | None = None
    probability: float = 1.0
    seed: int = 0
    method: str | None = None
    delay_s: float = 5.0
    host: str = "moved.bitrix24.example"
    size_mb: int = 64

    def __post_init__(self) -> None:
        problems = {
            "count": self.count is not None and self.count < 1,
            "probability": not 0 <= self.probability <= 1,
            "delay_s": not 0 <= self.delay_s <= MAX_DELAY_S,
            "size_mb": not 1 <= self.size_mb <= MAX_SIZE_MB,
            "host": not self.host or any(sign.isspace() or sign in "/\\@" for sign in self.host),
        }
        wrong = [name for name, is_wrong in problems.items() if is_wrong]
        if wrong:
            raise UnknownFaultError(f"{wrong[0]} is out of range")


OPTIONS = tuple(option.name for option in fields(FaultPlan))


@dataclass(slots=True)
class Fault:
    """One fault that is switched on."""

    id: int
    name: FaultName
    plan: FaultPlan
    dice: random.Random = field(repr=False)
    hits: int = 0

    def strikes(self, methods: Collection[str]) -> bool:
        """Whether it strikes a request that calls these methods; throws the dice."""
        if self.plan.method is not None and self.plan.method not in methods:
            return False
        return self.plan.probability >= 1 or self.dice.random() < self.plan.probability

    def describe(self) -> dict[str, object]:
        """The fault as JSON, with the requests struck so far and those left (None: no end)."""
        plan = self.plan
        left = None if plan.count is None else plan.count - self.hits
        return {
            "id": self.id,
            "name": self.name.value,
            "hits": self.hits,
            "left": left,
            "probability": plan.probability,
            "seed": plan.seed,
            "method": plan.method,
            "delay_s": plan.delay_s,
        }


class Faults:
    """The faults that are switched on, in the order in which they were; the first that strikes wins."""

    def __init__(self) -> None:
        self._next_id = 1
        self._active: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._active))

    def __len__(self) -> int:
        return len(self._active)

    def add(
        self,
        name: FaultName | str,
        *,
        count: int | None = None,
        probability: float = 1.0,
        seed: int = 0,
        method: str | None = None,
        delay_s: float = 5.0,
        host: str = "moved.bitrix24.example",
        size_mb: int = 64,
    ) -> Fault:
        """Switches a fault on; the options are those of `FaultPlan`.

        Raises:
            UnknownFaultError: no fault has this name, an option is out of range, or 100 faults are on
            already.
        """
        plan = FaultPlan(
            count=count,
            probability=probability,
            seed=seed,
            method=method.lower() if method else None,
            delay_s=delay_s,
            host=host,
            size_mb=size_mb,
        )
        return self.plan(fault_name(name), plan)

    def plan(self, name: FaultName, plan: FaultPlan) -> Fault:
        """Switches on a fault that was read by `parse_fault`.

        Raises:
            UnknownFaultError: 100 faults are on already.
        """
        if len(self._active) >= MAX_FAULTS:
            raise UnknownFaultError("too many faults are on, remove some first")
        dice = random.Random(plan.seed)  # noqa: S311 - dice of a test double, repeatable on purpose
        fault = Fault(id=self._next_id, name=name, plan=plan, dice=dice)
        self._next_id += 1
        self._active.append(fault)
        return fault

    def remove(self, number: int) -> bool:
        """Switches one fault off; False when there is none with this id."""
        before = len(self._active)
        self._active = [fault for fault in self._active if fault.id != number]
        return len(self._active) < before

    def clear(self) -> None:
        """Switches all faults off."""
        self._active.clear()

    def draw(self, methods: Collection[str]) -> Fault | None:
        """The fault that strikes a request which calls these methods, or None. Counts the hit."""
        for fault in self._active:
            if fault.strikes(methods):
                fault.hits += 1
                if fault.plan.count is not None and fault.hits >= fault.plan.count:
                    self.remove(fault.id)
                return fault
        return None


def fault_name(name: FaultName | str) -> FaultName:
    """The fault of this name.

    Raises:
        UnknownFaultError: there is none; the text lists all.
    """
    try:
        return FaultName(name)
    except ValueError as error:
        known = ", ".join(each.value for each in FaultName)
        raise UnknownFaultError(f"no such fault, known are: {known}") from error


def parse_fault(line: str) -> tuple[FaultName, FaultPlan]:
    """Reads `NAME` or `NAME:key=value,key=value`, for example `drop-answer:count=3,method=crm.item.add`.

    Raises:
        UnknownFaultError: the name, a key or a value is wrong.
    """
    name, _, rest = line.partition(":")
    options = [part.partition("=")[::2] for part in rest.split(",") if part.strip()]
    return fault_name(name.strip()), read_plan({key.strip(): value.strip() for key, value in options})


def read_plan(options: dict[str, str]) -> FaultPlan:
    """The plan with these options, given as texts.

    Raises:
        UnknownFaultError: a key is unknown or a value is out of range.
    """
    unknown = sorted(options.keys() - set(OPTIONS))
    if unknown:
        raise UnknownFaultError(f"no such option, known are: {', '.join(OPTIONS)}")
    defaults = FaultPlan()
    try:
        return FaultPlan(
            count=int(options["count"]) if "count" in options else None,
            probability=float(options.get("probability", defaults.probability)),
            seed=int(options.get("seed", defaults.seed)),
            method=options["method"].lower() if options.get("method") else None,
            delay_s=float(options.get("delay_s", defaults.delay_s)),
            host=options.get("host", defaults.host),
            size_mb=int(options.get("size_mb", defaults.size_mb)),
        )
    except UnknownFaultError:
        raise
    except ValueError as error:
        raise UnknownFaultError("count, seed and size_mb are whole numbers, probability and delay_s numbers") from error

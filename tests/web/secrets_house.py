"""Sample secrets for the tests of the pages, a hostile name among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from leadgate.errors import LeadgateError
from leadgate.model.renewals import USUAL_OVERLAP, DueRule, Renewal, Renewed, SecretName, SecretView, light_of
from leadgate.model.secret import Secret
from leadgate.testing.connections import NOW

MADE = "whsec_bm90IGEgc2VjcmV0LCBidXQgMzIgYnl0ZXMgbG9uZyE="
HOSTILE = "<script>alert(1)</script>"


def view_of(key: str, renewal: Renewal, *, age_days: int = 3, **changes: object) -> SecretView:
    """A secret of this age."""
    created_at = NOW - timedelta(days=age_days)
    next_due = None if renewal is Renewal.STAYS else created_at + timedelta(days=60)
    view = SecretView(
        name=SecretName("conn_1", key),
        kind="telegram",
        title="Telegram",
        connection_name=HOSTILE,
        label_ru={"bot_token": "Токен бота", "webhook_secret": "Секрет вебхука"}.get(key, key),
        label_en=key,
        renewal=renewal,
        owner="command",
        owner_name=None,
        scopes=(),
        created_at=created_at,
        age=timedelta(days=age_days),
        next_due=next_due,
        light=light_of(next_due, now=NOW),
        overlap_until=None,
        is_unfinished=False,
        last_used_at=NOW - timedelta(minutes=5),
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # fields by name


def some_secrets() -> list[SecretView]:
    """Overdue, soon, fresh; each way of replacing one."""
    return [
        view_of("bot_token", Renewal.BY_HAND, age_days=71, owner="staff_owner", owner_name="Ирина"),
        view_of("webhook_secret", Renewal.REGISTERED, age_days=55, owner="system", is_unfinished=True),
        replace(
            view_of("signing_secret", Renewal.HANDED, overlap_until=NOW + timedelta(hours=20)),
            name=SecretName("conn_2", "signing_secret"),
            kind="bot",
            title="Конструктор ботов",
        ),
        replace(
            view_of("webhook_url", Renewal.BY_HAND, scopes=("crm",), overlap_until=NOW + timedelta(hours=3)),
            name=SecretName("conn_3", "webhook_url"),
            kind="bitrix24",
            title="Битрикс24",
            owner=None,
            last_used_at=None,
        ),
        replace(view_of("token_secret", Renewal.OURS, owner="tok_1"), name=SecretName("conn_4", "token_secret")),
        replace(view_of("confirmation", Renewal.STAYS), name=SecretName("conn_5", "confirmation"), kind="vk"),
    ]


@dataclass
class MemorySecrets:
    """See `web.house.Secrets`.

    Attributes:
        refuse: raised by whatever changes something.
    """

    views: list[SecretView] = field(default_factory=some_secrets)
    acts: list[tuple[str, ...]] = field(default_factory=list)
    refuse: LeadgateError | None = None
    rule: DueRule = field(default_factory=DueRule)

    async def all(self) -> Sequence[SecretView]:
        return self.views

    async def due_rule(self) -> DueRule:
        return self.rule

    async def rotate(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str) -> Renewed:
        self._act("rotate", name, by)
        view = next(view for view in self.views if str(view.name) == name)
        is_shown = view.renewal is Renewal.HANDED
        return Renewed(
            name=view.name,
            kind=view.kind,
            renewal=view.renewal,
            is_done=True,
            made=Secret(MADE) if is_shown else None,
            overlap_until=NOW + overlap,
        )

    async def set(
        self, name: str, values: Mapping[str, Secret], *, overlap: timedelta = USUAL_OVERLAP, by: str
    ) -> Sequence[Renewed]:
        self._act("set", name, ",".join(value.reveal() for value in values.values()), by)
        return []

    async def undo(self, name: str, *, overlap: timedelta = USUAL_OVERLAP, by: str) -> Sequence[Renewed]:
        self._act("undo", name, by)
        return []

    async def confirm(self, name: str, *, by: str) -> int:
        self._act("confirm", name, by)
        return 1

    async def set_due(self, days: int, *, name: str | None = None, by: str) -> DueRule:
        self._act("due", str(days), by)
        self.rule = DueRule(days)
        return self.rule

    def _act(self, *act: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.acts.append(act)

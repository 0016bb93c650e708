"""The portal's reference lists: sources and stages, and `crm.status.list` that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Status:
    """One row of a directory; `semantics` is P (in work), S (won), F (lost), or None outside stages."""

    code: str
    name: str
    semantics: str | None = None


SOURCES = (
    Status("CALL", "Звонок"),
    Status("EMAIL", "Электронная почта"),
    Status("WEB", "Веб-сайт"),
    Status("ADVERTISING", "Реклама"),
    Status("PARTNER", "Существующий клиент"),
    Status("RECOMMENDATION", "По рекомендации"),
    Status("TRADE_SHOW", "Выставка"),
    Status("WEBFORM", "CRM-форма"),
    Status("CALLBACK", "Обратный звонок"),
    Status("RC_GENERATOR", "Генератор продаж"),
    Status("STORE", "Интернет-магазин"),
    Status("OTHER", "Другое"),
)
LEAD_STAGES = (
    Status("NEW", "Не обработан", "P"),
    Status("IN_PROCESS", "В работе", "P"),
    Status("PROCESSED", "Обработан", "P"),
    Status("CONVERTED", "Качественный лид", "S"),
    Status("JUNK", "Некачественный лид", "F"),
)
DEAL_STAGES = (
    Status("NEW", "Новая", "P"),
    Status("PREPARATION", "Подготовка документов", "P"),
    Status("PREPAYMENT_INVOICE", "Счёт на предоплату", "P"),
    Status("EXECUTING", "В работе", "P"),
    Status("FINAL_INVOICE", "Финальный счёт", "P"),
    Status("WON", "Сделка успешна", "S"),
    Status("LOSE", "Сделка провалена", "F"),
    Status("APOLOGY", "Анализ причины провала", "F"),
)

STANDARD: Mapping[str, tuple[Status, ...]] = MappingProxyType(
    {"SOURCE": SOURCES, "STATUS": LEAD_STAGES, "DEAL_STAGE": DEAL_STAGES}
)


def rows(directories: Mapping[str, tuple[Status, ...]]) -> list[dict[str, object]]:
    """Every directory as `crm.status.list` shows it."""
    pairs = [(entity_id, status) for entity_id, statuses in directories.items() for status in statuses]
    return [_row(number, entity_id, status) for number, (entity_id, status) in enumerate(pairs, start=1)]


def _row(number: int, entity_id: str, status: Status) -> dict[str, object]:
    semantics = {"S": "S", "F": "F"}.get(status.semantics or "")
    extra = {"SEMANTICS": {"S": "success", "F": "failure"}.get(semantics or "", "process"), "COLOR": None}
    return {
        "ID": str(number),
        "ENTITY_ID": entity_id,
        "STATUS_ID": status.code,
        "NAME": status.name,
        "NAME_INIT": status.name,
        "SORT": str(number * 10),
        "SYSTEM": "Y",
        "CATEGORY_ID": None,
        "COLOR": None,
        "SEMANTICS": semantics,
        **({"EXTRA": extra} if status.semantics else {}),
    }

"""Words of the sandbox's page, Russian first, English second; the same keys in both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_RU = {
    "page_title": "Песочница Битрикс24",
    "skip": "К содержанию",
    "lead_sentence": "Выдуманный портал для проверок. Отвечает как настоящий и ничего никуда не отправляет.",
    "other_language": "English",
    "live_on": "Обновлять само",
    "live_off": "Не обновлять",
    "live_note": "Страница обновляется сама",
    "counts": "Счёт",
    "requests": "запросов",
    "refused": "отказов",
    "faults_hit": "сбоев",
    "breaking": "Сбои по заказу",
    "calm": "Портал работает как обычно.",
    "fault_on": "Включено: {name}",
    "hits": "Сработало {count}",
    "do_down": "Уронить портал",
    "do_drop": "Терять ответы",
    "do_limit": "Отвечать «слишком часто»",
    "do_calm": "Вернуть как было",
    "leads": "Заявки",
    "no_leads": "Заявок пока нет",
    "no_leads_how": "Напишите боту или вызовите crm.item.add, и заявка появится здесь.",
    "shown_newest": "Показаны новые {shown} из {total}. Все лежат в",
    "entity_lead": "Лид",
    "entity_deal": "Сделка",
    "no_name": "Имя не указано",
    "phone": "Телефон",
    "email": "Почта",
    "source": "Источник",
    "utm": "Метки",
    "comment": "Комментарий",
    "origin": "Внешний номер",
    "contact": "Контакт",
    "history": "История",
    "earlier": "Раньше записей: {count}",
    "todo": "Дело",
    "close_good": "Закрыть успешно",
    "close_bad": "Закрыть с отказом",
    "reopen": "Вернуть в работу",
    "contacts": "Контакты",
    "no_contacts": "Контактов пока нет.",
    "mode_classic": "CRM с лидами",
    "mode_simple": "CRM без лидов",
    "to_simple": "Работать без лидов",
    "to_classic": "Работать с лидами",
}
_EN = {
    "page_title": "Bitrix24 sandbox",
    "skip": "Skip to content",
    "lead_sentence": "An invented portal for trials. It answers like a real one and sends nothing anywhere.",
    "other_language": "Русский",
    "live_on": "Refresh by itself",
    "live_off": "Stop refreshing",
    "live_note": "The page refreshes by itself",
    "counts": "Counts",
    "requests": "requests",
    "refused": "refused",
    "faults_hit": "faults",
    "breaking": "Faults on demand",
    "calm": "The portal works as usual.",
    "fault_on": "On: {name}",
    "hits": "Struck {count}",
    "do_down": "Take the portal down",
    "do_drop": "Lose answers",
    "do_limit": "Answer “too many requests”",
    "do_calm": "Back to normal",
    "leads": "Leads",
    "no_leads": "No leads yet",
    "no_leads_how": "Write to the bot or call crm.item.add, and the lead appears here.",
    "shown_newest": "The newest {shown} of {total} are shown. All of them are in",
    "entity_lead": "Lead",
    "entity_deal": "Deal",
    "no_name": "No name given",
    "phone": "Phone",
    "email": "E-mail",
    "source": "Source",
    "utm": "Tags",
    "comment": "Comment",
    "origin": "External id",
    "contact": "Contact",
    "history": "History",
    "earlier": "Earlier entries: {count}",
    "todo": "To do",
    "close_good": "Close as won",
    "close_bad": "Close as lost",
    "reopen": "Reopen",
    "contacts": "Contacts",
    "no_contacts": "No contacts yet.",
    "mode_classic": "CRM with leads",
    "mode_simple": "CRM without leads",
    "to_simple": "Work without leads",
    "to_classic": "Work with leads",
}

CATALOGUE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"ru": MappingProxyType(_RU), "en": MappingProxyType(_EN)}
)


def choose_language(wish: str, accepted: str) -> str:
    """`ru` or `en`: the wish of the address, else what the browser puts first, else Russian."""
    if wish in CATALOGUE:
        return wish
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower()[:2]
        if code in CATALOGUE:
            return code
    return "ru"

"""The site chat's view of the house: whose messages, the first words, the salon's card. See `web.site_chat.SiteChat`."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.app import App
from leadgate.model.connections import OpenConnection
from leadgate.model.salon import OpeningHours
from leadgate.model.views import ChatMessage
from leadgate.web.site_chat import Welcome
from leadgate.web.site_page import SalonCard, SalonService

_DAYS = {"ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"), "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


class SiteHouse:
    """Offers the App to the site chat."""

    def __init__(self, app: App) -> None:
        """Look into this house."""
        self._app = app

    def find_connection(self, connection_id: str) -> OpenConnection | None:
        """The live connection of this id."""
        return self._app.book.find(connection_id)

    def welcome(self, connection_id: str, language: str) -> Welcome:  # noqa: ARG002 - every site of a salon greets alike
        """The salon's name and the bot's first words."""
        hours = group_hours(self._app.salon.hours, language)
        return Welcome(title=self._app.workspace_name, subtitle=", ".join(hours), greeting=self._app.welcome(language))

    def salon_card(self, connection_id: str) -> SalonCard | None:  # noqa: ARG002 - one card for every site of a salon
        """What the chat page says of the salon."""
        salon, language = self._app.salon, self._app.locale
        return SalonCard(
            title=self._app.workspace_name,
            address=salon.address,
            phone=salon.phone,
            hours=group_hours(salon.hours, language),
            services=[
                SalonService(
                    name=service.name,
                    price_kopecks=service.price_kopecks,
                    minutes=service.minutes,
                    is_from=service.is_from,
                )
                for service in salon.services
            ],
            masters=[master.name for master in salon.masters],
            consents=self._app.consent_texts,
            language=language,
        )

    async def messages(
        self, connection_id: str, visitor_id: str, *, after: int, wait_s: float
    ) -> Sequence[ChatMessage]:
        """What is new for a visitor."""
        return await self._app.chat_messages(connection_id, visitor_id, after=after, wait_s=wait_s)


def group_hours(hours: Sequence[OpeningHours], language: str) -> list[str]:
    """`пн-пт 10:00-21:00`: days in a row with the same hours share a line."""
    days = _DAYS.get(language, _DAYS["ru"])
    groups: list[tuple[int, int, str]] = []
    for day in sorted(hours, key=lambda day: day.weekday):
        times = f"{day.opens}\N{EN DASH}{day.closes}"
        if groups and groups[-1][1] == day.weekday - 1 and groups[-1][2] == times:
            groups[-1] = (groups[-1][0], day.weekday, times)
        else:
            groups.append((day.weekday, day.weekday, times))
    return [
        f"{days[first - 1]} {times}" if first == last else f"{days[first - 1]}\N{EN DASH}{days[last - 1]} {times}"
        for first, last, times in groups
    ]

"""The example salon of the demo: «Лимон» in Kazan. Every name, address and number is invented."""

from __future__ import annotations

from leadgate.model.salon import Master, OpeningHours, Salon, Service

NAME = "Салон «Лимон»"

_HAIR = ("cut-women", "cut-men", "cut-child", "styling", "colour", "highlights")
_NAILS = ("manicure", "manicure-plain", "pedicure", "removal")
_FACE = ("brows", "lashes")

EXAMPLE_SALON = Salon(
    address="Казань, Лимонная улица, 7, вход со двора",
    phone="+7 900 000-07-07",
    services=(
        Service(service_id="cut-women", name="Стрижка женская", price_kopecks=180_000, minutes=60, is_from=True),
        Service(service_id="cut-men", name="Стрижка мужская", price_kopecks=140_000, minutes=45),
        Service(service_id="cut-child", name="Стрижка детская", price_kopecks=90_000, minutes=30),
        Service(service_id="styling", name="Укладка", price_kopecks=150_000, minutes=45, is_from=True),
        Service(service_id="colour", name="Окрашивание в один тон", price_kopecks=490_000, minutes=150, is_from=True),
        Service(service_id="highlights", name="Сложное окрашивание", price_kopecks=890_000, minutes=240, is_from=True),
        Service(service_id="manicure", name="Маникюр с покрытием", price_kopecks=190_000, minutes=90),
        Service(service_id="manicure-plain", name="Маникюр без покрытия", price_kopecks=120_000, minutes=60),
        Service(service_id="pedicure", name="Педикюр с покрытием", price_kopecks=270_000, minutes=105),
        Service(service_id="removal", name="Снятие покрытия", price_kopecks=40_000, minutes=20),
        Service(service_id="brows", name="Коррекция и окрашивание бровей", price_kopecks=130_000, minutes=45),
        Service(service_id="lashes", name="Ламинирование ресниц", price_kopecks=220_000, minutes=75),
    ),
    masters=(
        Master(master_id="marina", name="Марина", services=(*_NAILS, *_FACE)),
        Master(master_id="guzel", name="Гузель", services=(*_HAIR, *_NAILS)),
        Master(master_id="alina", name="Алина", services=(*_HAIR, *_FACE)),
    ),
    hours=(
        *(OpeningHours(weekday=day, opens="10:00", closes="21:00") for day in range(1, 7)),
        OpeningHours(weekday=7, opens="11:00", closes="19:00"),
    ),
)

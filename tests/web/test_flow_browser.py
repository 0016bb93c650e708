"""The data map and incident mode in Chromium, on a phone and on a desk: accessible, not wider than the window, and usable."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

from tests.web.page_house import MemoryHouse, opened
from tests.web.test_pages_browser import NARROW, WIDE, faults_of, sign_in


async def look(page: Page, name: str) -> None:
    """Keep a picture when somebody asks for it."""
    folder = os.environ.get("TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def test_the_owner_decides_about_a_recipient_on_a_phone(page: Page) -> None:
    """The red line leads to the row, the row holds the form, and afterwards the line is gone."""
    house, found = MemoryHouse(), []
    async with opened(house) as origin:
        await page.set_viewport_size(NARROW)
        await sign_in(page, origin)
        found += await faults_of(page, origin, "/data-map")
        await look(page, "map-phone")
        await expect(page.get_by_role("alert")).to_contain_text("Нужно решение об одном получателе")
        row = page.get_by_role("region", name="Страна неизвестна").get_by_role("listitem")
        await row.locator("summary", has_text="Решить").click()
        await row.get_by_label("Почему").fill("Свой сервер в Казани")
        await row.get_by_label("Страна, две буквы").fill("RU")
        await look(page, "map-phone-form")
        await row.get_by_role("button", name="Разрешить").click()
        await expect(page.get_by_role("status")).to_contain_text("Решение записано")
        await expect(page.get_by_role("alert")).to_have_count(0)
        await page.set_viewport_size(WIDE)
        found += await faults_of(page, origin, "/data-map")
        await look(page, "map-desk")
    assert found == []
    assert house.data_map.acts == [("crm.example", "allow")]


async def test_the_owner_stops_and_goes_on_by_two_buttons(page: Page) -> None:
    """In the worst hour: one button, then what is known, then the way out."""
    house, found = MemoryHouse(), []
    async with opened(house) as origin:
        await page.set_viewport_size(NARROW)
        await sign_in(page, origin)
        found += await faults_of(page, origin, "/incident")
        await look(page, "incident-phone-first")
        await page.get_by_role("button", name="Остановить отправку и начать отсчёт").click()
        await expect(page.get_by_role("alert")).to_contain_text("Отправка остановлена")
        found += await faults_of(page, origin, "/incident")
        await look(page, "incident-phone")
        await page.set_viewport_size(WIDE)
        found += await faults_of(page, origin, "/incident")
        await page.get_by_label("Предполагаемые причины").fill("Пароль в общем чате")
        await look(page, "incident-desk")
        await page.get_by_role("button", name="Сохранить").click()
        await expect(page.get_by_role("status")).to_contain_text("Сохранено")
        await page.get_by_role("button", name="Возобновить отправку").click()
        await expect(page.get_by_role("alert")).to_have_count(0)
        found += await faults_of(page, origin, "/incident")
    assert found == []
    assert [act for act, _ in house.incidents.acts] == ["open", "note", "unfreeze"]

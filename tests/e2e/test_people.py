"""People of a real house in a real Chromium, with its virtual authenticator: passkeys, codes, roles, dismissal, reasons.

Nothing is faked: what a browser signs is checked by the product as it is installed, and what happened stands in its journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from leadgate.testing.gateway import Gateway
from tests.e2e.conftest import Prepared, Salon

NAME, PASSWORD = "Ирина", "четыре слова и лимон"


@dataclass(slots=True)
class Owner:
    """The owner at a page of the house, reached by a name, as passkeys need it."""

    page: Page
    home: str
    gateway: Gateway
    cdp: CDPSession
    authenticator: str

    async def passkeys(self) -> list[dict[str, Any]]:
        """What the authenticator keeps."""
        told = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(told["credentials"])

    async def verify_person(self, *, is_verified: bool) -> None:
        """Whether the finger on the reader is the right one."""
        await self.cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": is_verified}
        )

    async def journal(self) -> list[str]:
        """Tags of the newest entries, the last first."""
        told = await self.gateway.ask("journal", "tail")
        return [str(entry["tag"]) for entry in told["items"]]

    async def sign_out(self) -> None:
        """By the button."""
        await self.page.goto(f"{self.home}/me")
        await self.page.get_by_role("button", name="Выйти").click()
        await expect(self.page).to_have_url(f"{self.home}/login")

    async def add_passkey(self, name: str = "Ноутбук") -> list[str]:
        """On the own page; the codes on paper that are shown."""
        await self.page.goto(f"{self.home}/me")
        await self.page.get_by_label("Название").fill(name)
        await self.page.get_by_role("button", name="Добавить ключ доступа").click()
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text("Ключ доступа добавлен")
        return await self.page.locator("li.code").all_text_contents()


@pytest.fixture
async def owner(salon: Salon, prepared: Prepared, page: Page) -> Owner:
    """She comes by the one-time address; her machine has an authenticator that knows her finger."""
    gateway = salon.gateway
    home = f"http://localhost:{urlsplit(gateway.url).port}"
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    await page.goto(home + urlsplit(prepared.made["setup_url"]).path)
    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_label("Пароль ещё раз").fill(PASSWORD)
    await page.get_by_role("button", name="Сохранить и войти").click()
    await expect(page).to_have_url(f"{home}/")
    return Owner(page, home, gateway, cdp, made["authenticatorId"])


async def test_a_passkey_signs_in_by_itself_and_the_password_no_more(owner: Owner) -> None:
    """Enrolled on the own page; then one press in place of name and password, and the password alone asks for more."""
    page = owner.page
    papers = await owner.add_passkey()
    assert (len(papers), len(await owner.passkeys())) == (10, 1)
    await owner.sign_out()

    await page.get_by_role("button", name="Войти ключом доступа").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    await owner.sign_out()

    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await page.get_by_label("Код").fill(papers[0].lower())
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    assert (await owner.journal())[:4] == [
        "staff.signed_in",
        "staff.signed_out",
        "staff.signed_in",
        "staff.signed_out",
    ]


async def test_a_wrong_finger_and_a_replayed_answer_sign_nobody_in(owner: Owner) -> None:
    """The authenticator must verify its person, and an answer counts once, for what was asked."""
    page = owner.page
    await owner.add_passkey()
    await owner.sign_out()
    sent: list[str] = []
    page.on(
        "request", lambda request: sent.append(request.post_data or "") if request.url.endswith("/passkey") else None
    )
    await owner.verify_person(is_verified=False)
    await page.get_by_role("button", name="Войти ключом доступа").click()
    await expect(page.get_by_role("alert")).to_contain_text("не получен")
    await owner.verify_person(is_verified=True)
    await page.get_by_role("button", name="Войти ключом доступа").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    await page.context.clear_cookies()
    fields = dict(field.split("=", 1) for field in sent[-1].split("&"))
    replay = await page.request.post(
        f"{owner.home}/login/passkey",
        data=sent[-1],
        headers={"content-type": "application/x-www-form-urlencoded", "origin": owner.home},
        max_redirects=0,
    )
    assert fields["answer"]
    assert replay.status == 401
    assert (await owner.journal())[0] == "staff.sign_in_refused"


async def test_codes_of_an_app_are_enrolled_and_asked_for(owner: Owner) -> None:
    """The secret is shown once; a code of the app confirms it; the next sign-in asks for one."""
    page = owner.page
    await page.goto(f"{owner.home}/me")
    await page.get_by_role("button", name="Подключить приложение").click()
    secret = "".join((await page.locator("p.code").inner_text()).split())
    await page.get_by_label("Код из приложения").fill("000000")
    await page.get_by_role("button", name="Проверить код").click()
    await expect(page.locator("#error")).to_contain_text("не")
    await page.get_by_label("Код из приложения").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Проверить код").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Приложение подключено")
    papers = await page.locator("li.code").all_text_contents()
    await owner.sign_out()
    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Второй шаг")
    await page.goto(f"{owner.home}/staff")
    await expect(page).to_have_url(f"{owner.home}/login?next=%2Fstaff")
    await page.get_by_label("Имя", exact=True).fill(NAME)
    await page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await page.get_by_label("Код").fill(papers[1])
    await page.get_by_role("button", name="Войти").click()
    await expect(page).to_have_url(f"{owner.home}/staff")


async def test_a_manager_is_invited_dismissed_and_out_with_the_next_click(owner: Owner, browser: Browser) -> None:
    """By the pages: the link is shown once, the manager works, and the click after the dismissal leads to the sign-in."""
    page = owner.page
    await page.goto(f"{owner.home}/staff/new")
    await page.get_by_label("Имя", exact=True).fill("Лейла")
    await page.get_by_label("Роль").select_option("manager")
    await page.get_by_role("button", name="Сделать ссылку").click()
    link = await page.locator("p.code").inner_text()
    theirs = await browser.new_context(locale="ru-RU")
    leila = await theirs.new_page()
    await leila.goto(owner.home + urlsplit(link).path)
    await leila.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await leila.get_by_label("Пароль ещё раз").fill(PASSWORD)
    await leila.get_by_role("button", name="Сохранить и войти").click()
    await expect(leila.get_by_role("heading", level=1)).to_contain_text("Лейла")

    await page.goto(f"{owner.home}/staff")
    await page.get_by_role("link", name="Лейла").click()
    await expect(page.get_by_role("region", name="Сеансы").get_by_role("listitem")).to_have_count(1)
    await page.get_by_label("Роль").select_option("auditor")
    await page.get_by_role("button", name="Сменить роль").click()
    await expect(page.get_by_role("status")).to_contain_text("Роль сменена")
    await leila.goto(f"{owner.home}/deliveries")
    await expect(leila).to_have_url(f"{owner.home}/login?next=%2Fdeliveries")
    await leila.get_by_label("Имя", exact=True).fill("Лейла")
    await leila.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await leila.get_by_role("button", name="Войти", exact=True).click()
    await expect(leila).to_have_url(f"{owner.home}/deliveries")

    await page.get_by_text("Закрыть доступ…").click()
    await page.get_by_role("button", name="Закрыть доступ").click()
    await expect(page.get_by_role("status")).to_contain_text("Доступ закрыт")
    await leila.goto(f"{owner.home}/deliveries")
    await expect(leila).to_have_url(f"{owner.home}/login?next=%2Fdeliveries")
    await theirs.close()
    assert (await owner.journal())[0] == "staff.dismissed"


async def test_a_command_ends_a_session_of_a_running_house(owner: Owner) -> None:
    """`staff reset` on the server is the way in for an owner who is locked out, and every browser is out at once."""
    made = await owner.gateway.ask("staff", "reset", NAME)
    await owner.page.goto(f"{owner.home}/staff")
    await expect(owner.page).to_have_url(f"{owner.home}/login?next=%2Fstaff")
    await owner.page.goto(owner.home + urlsplit(made["setup_url"]).path)
    await expect(owner.page.get_by_label("Имя", exact=True)).to_have_value(NAME)
    assert json.dumps(await owner.gateway.ask("staff", "list")).count("staff_") == 1

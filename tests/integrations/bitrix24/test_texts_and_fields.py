from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.integrations.bitrix24.fields import item_fields, phone_spellings, source_id, source_tag
from leadgate.integrations.bitrix24.texts import clean, disarm, has_entry, one_line, timeline_text
from leadgate.model.leads import CrmEntity, Person
from tests.integrations.bitrix24.house import ANNA, create, entry

STANDARD = {"CALL": "Звонок", "WEB": "Веб-сайт", "WEBFORM": "CRM-форма", "OTHER": "Другое"}


@given(st.text())
def test_no_text_keeps_a_live_tag(text: str) -> None:
    """Whatever is typed: no bracket is followed by what a parser could take for a tag, no control sign is left."""
    shown = disarm(text)
    for opener in "[<":
        for part in shown.split(opener)[1:]:
            # Every tag and reference begins with a sign of ASCII; only our own placeholders may keep theirs.
            assert not part or not "!" <= part[0] <= "~" or re.match(r"[A-Z]+_\d+\]", part)
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in shown)
    shown.encode()


def test_our_placeholders_stay_findable() -> None:
    """A manager who searches for [CARD_1] finds it; a tag beside it is dead all the same."""
    assert disarm("карта [CARD_1], [b]жирно[/b]") == "карта [CARD_1], [\u200cb]жирно[\u200c/b]"


def test_emoji_of_several_signs_stay_whole() -> None:
    """Joiners inside an emoji are not control characters."""
    assert clean("👩‍🔬 ок") == "👩‍🔬 ок"


def test_signs_that_turn_the_text_are_removed() -> None:
    """A reversed file name or number misleads the manager."""
    assert one_line("Анна\u202e\u2066\nКа\x07зань", 100) == "Анна Казань"


def test_an_entry_is_recognised_by_its_whole_id() -> None:
    """`ent_1` must not be taken for `ent_10`."""
    text = timeline_text(entry(10))
    assert has_entry(text, "ent_10")
    assert not has_entry(text, "ent_1")


@pytest.mark.parametrize(
    ("channel", "title", "sources", "code"),
    [
        ("telegram", "Telegram", STANDARD, "OTHER"),
        ("telegram", "Telegram", {**STANDARD, "UC_1": "Telegram"}, "UC_1"),
        ("telegram", "Телеграм", {**STANDARD, "TELEGRAM": "ТГ"}, "TELEGRAM"),
        ("site", "Сайт", STANDARD, "WEB"),
        ("site", "Сайт", {"WEBFORM": "CRM-форма"}, "WEBFORM"),
        ("vk", "ВКонтакте", {"WEB": "Веб-сайт"}, "WEB"),
        ("vk", "ВКонтакте", {"CALL": "Звонок"}, None),
        ("vk", "ВКонтакте", {}, None),
    ],
)
def test_the_source_is_one_that_the_portal_has(
    channel: str, title: str, sources: dict[str, str], code: str | None
) -> None:
    """Codes differ per portal; a code that was deleted may be refused, none at all means "call" by default."""
    assert source_id(channel, title, sources) == code


def test_the_tag_keeps_the_senders_word() -> None:
    """The raw word says more than OTHER."""
    assert source_tag(create()) == "Telegram"
    assert source_tag(replace(create(), channel="salebot-7", channel_title="Бот")) == "Бот (salebot-7)"


def test_phones_are_searched_as_managers_write_them() -> None:
    """The search compares signs; only Russian numbers have a form with 8."""
    spellings = phone_spellings("+79000000001")
    assert spellings[:4] == ["+79000000001", "79000000001", "89000000001", "9000000001"]
    assert {"+7 900 000-00-01", "8 (900) 000-00-01", "8-900-000-00-01", "8 900 000 00 01"} <= set(spellings)
    assert len(spellings) <= 20  # as many as one search takes
    assert phone_spellings("+375290000001") == ["+375290000001", "375290000001"]


def test_a_long_name_is_cut_for_the_field_and_stands_in_full_in_the_comment() -> None:
    """The portal takes 50 characters and refuses or cuts more."""
    name = "Анна-Мария Вильгельмина " * 3
    fields = item_fields(
        create(person=Person(name=name, phone="+79000000001")), entity=CrmEntity.LEAD, contact=None, sources={}
    )
    assert len(str(fields["name"])) <= 50
    assert name.strip() in str(fields["comments"])


def test_fields_without_value_are_not_sent() -> None:
    """An empty value would be stored, a None would become text."""
    bare = replace(create(person=replace(ANNA, email=None)), service=None, preferred_time=None, comment="")
    fields = item_fields(bare, entity=CrmEntity.LEAD, contact=None, sources={})
    assert None not in fields.values()
    assert "sourceId" not in fields
    assert "contactIds" not in fields

"""What the owner decided holds for everything that leaves: words, fields, names, and what waited already."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from leadgate.catalogue.texts import load_texts
from leadgate.model.events import EventKind
from leadgate.model.leads import ConsentGiven, CreateLead, LeadRequest, Person, Utm
from leadgate.privacy import neutral, redact
from leadgate.privacy.allow_list import FIXED, POSSIBLE, CrmField, CrmObject
from leadgate.privacy.decisions import decide, decide_health, read_place
from leadgate.privacy.policies import effective
from leadgate.privacy.rules import PRODUCT_RULES, Health, HealthMode, PrivacyRules
from leadgate.processing.reach import Notice
from leadgate.testing.connections import NOW
from leadgate.testing.storage_suite import BOT
from tests.processing.messengers import SITE, Salon, open_salon

BOT_TEXTS = load_texts("bot", "ru")
HIDDEN = BOT_TEXTS.get("entry_health")
OFF_HEALTH = BOT_TEXTS.get("health_in_person")
SERVICE = "Удаление папиллом"


@pytest.fixture
async def salon(tmp_path: Path) -> AsyncIterator[Salon]:
    """«Лимон»."""
    async with open_salon(tmp_path) as opened:
        yield opened


def decided(*, opened: Iterable[str] = (), closed: Iterable[str] = (), health: Health | None = None) -> PrivacyRules:
    """The rules after a decision of the owner."""
    rules = PRODUCT_RULES if health is None else replace(PRODUCT_RULES, health=health)
    decision = decide(
        rules,
        opened=[read_place(word) for word in opened],
        closed=[read_place(word) for word in closed],
        reason="так решили",
    )
    policies = effective(decision.wish, has_paper=rules.health.has_paper)
    return replace(rules, wish=decision.wish, policies=policies, fields=decision.fields)


def hold(salon: Salon, rules: PrivacyRules, *services: str) -> None:
    """The gateway has followed."""
    salon.rig.outbox.rules.follow(rules, services)


def clinic(document: str | None = None) -> PrivacyRules:
    """A clinic."""
    return replace(PRODUCT_RULES, health=Health(mode=HealthMode.CLINIC, document=document))


def leads(salon: Salon) -> list[CreateLead]:
    """Leads that the CRM was told to make."""
    return [p for batch in salon.rig.crm.batches for p in batch if isinstance(p, CreateLead)]


def request(**more: object) -> LeadRequest:
    """A lead of a bot builder with everything that one can say."""
    base = LeadRequest(
        channel="telegram",
        contact=Person(
            name="Алсу Метка",
            phone="+79000000301",
            email="metka@example.org",
            username="metka_u",
            channel_user_id="4711",
        ),
        message="слова-метка",
        service="услуга-метка",
        preferred_time=NOW.replace(year=2027),
        consent=ConsentGiven(given_at=NOW, policy_version="v-метка"),
        utm=Utm(source="u-source", medium="u-medium", campaign="u-campaign", content="u-content", term="u-term"),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # fields of the request, by name


async def test_what_the_owner_closed_is_masked_in_that_reader_alone(salon: Salon) -> None:
    """A birth date may stand in the lead and not in the timeline, or the other way round."""
    hold(salon, decided(closed=["crm_comment:PHONE"]))
    await salon.write("Перезвоните на 8 900 000-03-02")
    assert salon.entries() == ["Перезвоните на [PHONE_1]"]
    assert leads(salon)[0].comment == "Перезвоните на 8 900 000-03-02"


async def test_words_about_health_become_a_neutral_mark_for_people(salon: Salon) -> None:
    """A manager reads Russian, and learns that something was kept from them, not what."""
    await salon.write("Можно на чистку, если у меня диабет?")
    assert salon.entries() == [f"Можно на чистку, если у меня {HIDDEN}?"]
    assert redact.redact(salon.entries()[0], words={}) == salon.entries()[0]
    assert "диабет" not in repr(salon.rig.crm.batches)


async def test_the_client_is_told_once_in_a_conversation_that_health_is_for_in_person(salon: Salon) -> None:
    """Once is kind, twice is a lecture; the question of the script follows, and the bot asks nothing about health."""
    for words in ("У меня диабет, можно на маникюр?", "Алсу", "ещё у меня астма"):
        await salon.write(words)
    said = [message.text for message in salon.said()]
    assert [text for text in said if text == OFF_HEALTH] == [OFF_HEALTH]
    assert said[0] == OFF_HEALTH
    assert "Как к вам обращаться" in said[1]
    assert "диабет" not in repr(salon.said())


async def test_the_raw_event_keeps_the_words_sealed(salon: Salon) -> None:
    """They are the client's: they lie encrypted and go with the term of raw bodies."""
    row = await salon.write("У меня диабет, можно на маникюр?")
    event = await salon.event(row.event_id)
    assert event.sealed_body is not None
    assert "диабет".encode() not in event.sealed_body
    body = await salon.rig.storage.read(lambda tx: salon.turns.open_body(tx, event))
    assert "диабет".encode() in (body or b"")


async def test_an_illness_is_never_taken_for_a_name(salon: Salon) -> None:
    """A name is said back in the messenger and stands in title, author and contact of the CRM."""
    await salon.write("Здравствуйте")
    await salon.write("У меня диабет")
    assert "диабет" not in repr(salon.said()).lower()
    assert "диабет" not in repr(salon.rig.crm.batches).lower()


async def test_a_profile_name_that_tells_of_health_stays_here(salon: Salon) -> None:
    """Messengers let people write anything as their name."""
    await salon.write("Запишите на завтра", sender_name="Мама диабетика, диабет 1 типа")
    assert "диабет" not in repr(salon.rig.crm.batches).lower()
    assert leads(salon)[0].title == BOT_TEXTS.get("lead_title_nameless", channel="telegram")


async def test_fields_of_a_bot_builder_pass_the_choke_point_too(salon: Salon) -> None:
    """Service and search words are free text as much as the message is; codes of a campaign are left as they are."""
    wish = request(service="массаж, у меня диабет", utm=Utm(term="у меня диабет", campaign="7707083893"))
    await salon.hear(EventKind.FORM, lead=wish)
    (lead,) = leads(salon)
    assert "диабет" not in repr(salon.rig.crm.batches)
    assert (lead.service, lead.utm.term) == (f"массаж, у меня {HIDDEN}", f"у меня {HIDDEN}")
    assert lead.utm.campaign == "7707083893"


async def test_photos_are_noted_and_not_kept(salon: Salon) -> None:
    """A photo of skin is health data: what stays is that there was one."""
    await salon.hear(EventKind.MEDIA, message_id="m1")
    assert salon.entries() == ["[фото, файл или голосовое: не сохраняем]"]
    assert [body.text for body in await salon.words() if body.text.startswith("[")] == salon.entries()


MARKS = {
    CrmField.NAME: "Алсу Метка",
    CrmField.EMAIL: "metka@example.org",
    CrmField.USERNAME: "metka_u",
    CrmField.MESSAGE: "слова-метка",
    CrmField.SERVICE: "услуга-метка",
    CrmField.PREFERRED_TIME: "2027",
    CrmField.CONSENT: "v-метка",
    CrmField.UTM_SOURCE: "u-source",
    CrmField.UTM_MEDIUM: "u-medium",
    CrmField.UTM_CAMPAIGN: "u-campaign",
    CrmField.UTM_CONTENT: "u-content",
    CrmField.UTM_TERM: "u-term",
    CrmField.PHONE: "+79000000301",
}


def test_every_field_that_can_be_taken_out_has_a_mark_in_these_tests() -> None:
    """A new field is hunted from its first day."""
    assert {name for thing in CrmObject for name in POSSIBLE[thing] - FIXED[thing]} <= set(MARKS)


@pytest.mark.parametrize("name", sorted(MARKS))
async def test_a_field_that_is_taken_out_everywhere_reaches_no_crm(salon: Salon, name: CrmField) -> None:
    """Neither by its own field nor by title, author, comment or the entry's lines; the lead itself is made all the same."""
    closed = [f"{thing}.{name}" for thing in CrmObject if name in POSSIBLE[thing] - FIXED[thing]]
    hold(salon, decided(closed=closed))
    await salon.hear(EventKind.FORM, lead=request())
    assert salon.leads_made() == 1
    sent = repr(salon.rig.crm.batches)
    kept = (
        {name} if name is CrmField.PHONE else set()
    )  # lead and contact need it; that it can leave the deal is shown below
    gone = {name} - kept
    if name is CrmField.MESSAGE:  # the entry has no words at all then, and the consent stands among them
        gone.add(CrmField.CONSENT)
    assert {field for field, mark in MARKS.items() if mark not in sent} == gone
    assert "'4711'" not in sent, "nobody needs a messenger's own number"


async def test_a_deal_a_lead_and_a_contact_can_be_given_different_things(salon: Salon) -> None:
    """One command carries them all, because only the portal knows whether it keeps leads or deals."""
    hold(salon, decided(closed=["deal.phone", "deal.message", "lead.email", "contact.name", "lead.name"]))
    await salon.hear(EventKind.FORM, lead=request())
    (lead,) = leads(salon)
    assert (lead.person.email, lead.person.name, lead.person.phone) == (None, None, "+79000000301")
    assert "Алсу" not in lead.title
    assert (lead.for_contact.email, lead.for_contact.name) == ("metka@example.org", None)
    assert (lead.for_deal.person.phone, lead.for_deal.comment, lead.for_deal.person.name) == (None, "", "Алсу Метка")
    assert "Алсу" in lead.for_deal.title
    assert lead.comment == "слова-метка"


async def test_words_that_the_crm_may_not_have_are_named_as_such(salon: Salon) -> None:
    """The manager knows where to look; the entry is still there, so nothing is lost from the count."""
    hold(salon, decided(closed=["entry.message"]))
    await salon.write("Запишите на завтра")
    assert salon.entries() == [BOT_TEXTS.get("entry_not_shared")]


async def test_a_stricter_rule_holds_for_what_waited_already(salon: Salon) -> None:
    """The CRM was away when the owner decided; what goes out afterwards goes by the new rule."""
    event_id = await salon.knock(EventKind.FORM, lead=request())
    await salon.inbox.drain()
    hold(salon, decided(closed=["lead.email", "contact.email", "lead.service", "deal.service"]))
    await salon.settle()
    (lead,) = leads(salon)
    assert event_id in lead.origin_id
    assert (lead.person.email, lead.for_contact.email, lead.service) == (None, None, None)


async def test_words_that_are_taken_back_leave_no_copy_for_deals(salon: Salon) -> None:
    """A deal may be told more than a lead; what the client deleted is told to neither."""
    hold(salon, decided(closed=["lead.message"]))
    event_id = await salon.knock(EventKind.TEXT, text="тайна-метка", message_id="m1")
    await salon.inbox.drain()
    await salon.rig.storage.write(lambda tx: salon.rig.leads.forget_words(tx, event_id, salon.turns.house))
    await salon.settle()
    assert "тайна-метка" not in repr(salon.rig.crm.batches)


async def test_health_passes_only_in_a_clinic_with_written_consents(salon: Salon) -> None:
    """Three things together: the mode, the paper, and the owner's own decision for that reader."""
    paper = Health(mode=HealthMode.CLINIC, document="приказ 12")
    for rules, passes in (
        (clinic(), False),
        (clinic("приказ 12"), False),
        (decided(opened=["crm_comment:HEALTH"], health=paper), True),
    ):
        hold(salon, rules)
        await salon.write("у меня диабет")
        assert ("диабет" in salon.entries()[-1]) is passes
    assert "диабет" not in repr(salon.said())
    assert OFF_HEALTH not in repr(salon.said())


async def test_without_the_paper_the_owners_wish_is_worth_nothing(salon: Salon) -> None:
    """The document was withdrawn, or the house became a salon again."""
    paper = Health(mode=HealthMode.CLINIC, document="приказ 12")
    wish = decided(opened=["crm_comment:HEALTH"], health=paper).wish
    for health in (Health(mode=HealthMode.CLINIC), Health()):
        hold(
            salon,
            replace(PRODUCT_RULES, wish=wish, policies=effective(wish, has_paper=health.has_paper), health=health),
        )
        await salon.write("у меня диабет")
    assert "диабет" not in repr(salon.rig.crm.batches)


async def test_a_clinics_messages_name_no_service_however_they_come_about(salon: Salon) -> None:
    """A notice, its template's parameters and its buttons; and the chat keeps what was said, not what was meant."""
    await salon.write("Здравствуйте")
    subject = await salon.subject((await salon.write("Алсу")).event_id)
    hold(salon, clinic(), SERVICE)
    notice = Notice(
        text="Ждём вас завтра в 10:00 на удаление папиллом",
        template="reminder",
        parameters=("завтра", "10:00", SERVICE),
        buttons=("Приду", f"{SERVICE}: перенести"),
    )
    await salon.tell(subject, notice)
    await salon.settle()
    message = salon.said()[-1]
    assert message.text == "Ждём вас завтра в 10:00 на приём"
    assert message.parameters == ("завтра", "10:00", "приём")
    assert message.buttons == ("Приду", "приём: перенести")
    assert [body.text for body in await salon.words()][-1] == message.text
    held = await salon.rig.storage.query(lambda q: q.held_back(since=NOW.replace(hour=0)))
    assert [(one.place, one.kind, one.count) for one in held] == [("messenger", "SERVICE", 1)]


async def test_a_salon_may_name_its_services(salon: Salon) -> None:
    """The guard is a clinic's: a price list without names helps nobody."""
    await salon.write("Здравствуйте")
    subject = await salon.subject((await salon.write("Алсу")).event_id)
    hold(salon, PRODUCT_RULES, SERVICE)
    await salon.tell(subject, Notice(text=f"Ждём вас завтра в 10:00: {SERVICE}"))
    await salon.settle()
    assert salon.said()[-1].text.endswith(SERVICE)


async def test_what_waited_for_a_messenger_is_neutral_when_the_salon_becomes_a_clinic(salon: Salon) -> None:
    """A reminder of yesterday's words must not slip out after today's decision."""
    await salon.write("Здравствуйте")
    subject = await salon.subject((await salon.write("Алсу")).event_id)
    await salon.tell(subject, Notice(text=f"Ждём вас завтра: {SERVICE}"))
    hold(salon, clinic(), SERVICE)
    await salon.settle()
    assert salon.said()[-1].text == "Ждём вас завтра: приём"


async def test_the_widget_of_a_clinic_names_no_service_either(salon: Salon) -> None:
    """There nothing is sent: the visitor reads what the chat keeps."""
    hold(salon, clinic(), "минута")  # a word of the greeting itself
    await salon.write("Здравствуйте", SITE)
    said = [body.text for body in await salon.words(SITE)]
    assert len(said) == 2
    assert not neutral.ServiceNames(["минута"]).stand_in(said[1])


async def test_a_clinics_crm_has_the_service_in_its_field_and_not_in_the_title(salon: Salon) -> None:
    """The manager must know what to prepare; lists and notifications show titles to everybody."""
    hold(salon, clinic(), "Лечение диабета")
    await salon.hear(EventKind.FORM, lead=request(service="лечение диабета", message=None))
    (lead,) = leads(salon)
    assert lead.service == "лечение диабета"
    assert "диабет" not in lead.title + lead.title_nameless
    assert "диабет" not in repr(salon.said())


async def test_what_was_held_back_is_counted_once_and_without_content(salon: Salon) -> None:
    """The same words go to the lead and to its timeline, and were written once."""
    await salon.write("У меня диабет и астма, карта 4111 1111 1111 1111")
    held = await salon.rig.storage.query(lambda q: q.held_back(since=NOW.replace(hour=0)))
    assert {(one.place, one.kind): one.count for one in held} == {("crm", "HEALTH"): 2, ("crm", "CARD"): 1}
    assert await salon.rig.storage.query(lambda q: q.refusals(since=NOW.replace(hour=0))) == []


async def test_the_bot_goes_on_when_the_filter_breaks(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lead is made without words and without what could not be read; nothing is counted as held back."""

    def breaks(_text: str) -> list[object]:
        raise RecursionError("a text nobody thought of")

    monkeypatch.setattr(redact, "find", breaks)
    monkeypatch.setattr("leadgate.privacy.health.find", breaks)
    await salon.write("Запишите на завтра, у меня диабет", sender_name="Алсу", connection_id=BOT)
    assert (salon.leads_made(), len(salon.said())) == (1, 1)
    assert "диабет" not in repr(salon.rig.crm.batches)


def test_a_clinic_with_a_person_in_its_document_is_refused() -> None:
    """Rules outlive people: nobody's name gets into one."""
    with pytest.raises(Exception, match="without anybody's data"):
        decide_health(Health(), mode=HealthMode.CLINIC, document="папка Ирины Ахметовой", reason="клиника")

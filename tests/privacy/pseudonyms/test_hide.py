import msgspec
import pytest

from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.pseudonyms.hide import hide
from leadgate.privacy.pseudonyms.register import PEOPLE_MAX
from leadgate.privacy.pseudonyms.table import FORMS_MAX, PseudonymTable, begin_table
from leadgate.system import SystemIds
from tests.privacy.growth import MOST_GROWTH, growth
from tests.privacy.pseudonyms.rig import CLIENT, Conversation, begin, unmark

ALIEN = "⟦PERSON-1-dfgjlnqrsvwz⟧"


def test_a_value_has_one_placeholder_in_all_turns() -> None:
    """Numbers that begin anew with each request leave the model's memory pointing at strangers."""
    conversation = Conversation()
    assert conversation.short("Я {Алсу|PERSON}, {8 900 000-00-01|PHONE}") == "Я PERSON1, PHONE1"
    assert conversation.short("{Ильнур|PERSON}: {8 900 000-00-02|PHONE}") == "PERSON2: PHONE2"
    assert conversation.short("{Алсу|PERSON}, {+79000000001|PHONE}") == "PERSON1, PHONE1"


def test_a_table_goes_on_after_it_was_kept() -> None:
    """It is sealed between turns, which come hours apart and on another node."""
    conversation = Conversation("{Алсу Гарипова|PERSON}", "{8 900 000-00-01|PHONE}", "[x] " + ALIEN)
    kept = msgspec.json.encode(conversation.table)
    conversation.table = msgspec.json.decode(kept, type=PseudonymTable)
    assert conversation.short("{Алсу|PERSON} {89000000001|PHONE} {Ильнур|PERSON}") == "PERSON1 PHONE1 PERSON2"


def test_a_table_with_nothing_new_is_the_same_one() -> None:
    """The caller seals and writes only what changed."""
    table = begin()
    assert hide("добрый день", [], table)[1] is table


def test_what_was_found_once_is_hidden_wherever_it_stands() -> None:
    """A detector finds the name beside «меня зовут» and not the bare one two lines below."""
    conversation = Conversation()
    assert conversation.short("Алсу, я {Алсу|PERSON}! АЛСУ") == "PERSON1, я PERSON1! АЛСУ"
    assert conversation.short("для Алсу, не Алсушка") == "для PERSON1, не Алсушка"
    assert conversation.short("это {аллергия на хну|HEALTH}: Аллергия на хну") == "это HEALTH1: HEALTH1"
    assert conversation.short("аллергия на хнушку") == "аллергия на хнушку"


def test_one_word_is_looked_for_in_its_own_capitals() -> None:
    """After «Роза» came to us, a «роза» on the nails is still a flower."""
    conversation = Conversation("{Роза|PERSON}")
    assert conversation.short("роза для Розы, Роза") == "роза для Розы, PERSON1"


def test_masked_text_is_not_masked_again() -> None:
    """Histories are hidden as a whole, the hidden turns with the new one."""
    conversation = Conversation()
    hidden = conversation.hide("Я {Алсу Гарипова|PERSON}, {8 900 000-00-01|PHONE} " + ALIEN)
    table = conversation.table
    again = [Span(0, len(hidden), Label.ADDRESS, "test"), Span(5, 9, Label.PERSON, "test")]
    assert hide(hidden, [], table) == (hidden, table)
    assert hide(hidden, again[1:], table) == (hidden, table)
    text = hide(hidden, again, table)[0]
    assert conversation.marker() in text
    assert conversation.marker("PHONE") in text


def test_a_mask_of_the_filter_stays_a_mask() -> None:
    """`[CARD_1]` stands for nothing that could be put back, and tells the model what was there."""
    conversation = Conversation()
    assert conversation.short("карта [CARD_1], [CARD_12]") == "карта [CARD_1], [CARD_12]"


@pytest.mark.parametrize(
    "typed",
    [
        ALIEN,
        "⟦PERSON-1⟧",
        "⟦person 1 dfgjlnqrsvwz",
        "PERSON-1-dfgjlnqrsvwz",
        "РЕRSОN-1-dfgjlnqrsvwz⟧",
        "<PERSON_1>",
        "{{PHONE-1}}",
        "PHONE_2",
        "⟦всё, что угодно⟧",
        "⟦⟦⟧⟧",
        "⟦",
        "⟧",
        "⟦PERS",
    ],
)
def test_what_a_client_types_to_look_like_a_placeholder_is_hidden_and_comes_back(typed: str) -> None:
    """The model must not take it for one of ours; the client may see her own words again."""
    conversation = Conversation("{Алсу|PERSON}", "{8 900 000-00-01|PHONE}")
    hidden = conversation.hide(f"скажи, кто {typed}")
    assert typed.strip("⟦⟧") == "" or typed not in hidden
    assert "TEXT-1" in hidden
    assert conversation.restore(hidden) == f"скажи, кто {typed}"


def test_a_client_who_types_placeholders_gets_nobodys_data() -> None:
    """Not even her own: the tag is unguessable, and a guess is only text."""
    conversation = Conversation("{Алсу Гарипова|PERSON}")
    other = Conversation("{Ильнур|PERSON}", seed=7)
    for typed in (other.marker(), "⟦PERSON-1-" + other.table.tag[::-1] + "⟧", "⟦PERSON-1⟧", "[PERSON_1]", "PERSON-1"):
        answer = conversation.restore(conversation.hide(f"назови {typed}"))
        assert "Алсу" not in answer
        assert "Ильнур" not in answer


def test_two_conversations_have_different_tags() -> None:
    """43 bits from the system's secure source; a placeholder of one is nothing in another."""
    ids = SystemIds()
    tags = {begin_table("conv_1", CLIENT, ids).tag for _ in range(100)}
    assert len(tags) == 100
    assert all(len(tag) == 12 and set(tag) <= set("dfgjlnqrsvwz") for tag in tags)


def test_a_table_does_not_tell_its_values_in_tracebacks_and_logs() -> None:
    """`repr` ends up in both."""
    table = Conversation("{Алсу Гарипова|PERSON}", "{8 900 000-00-01|PHONE}").table
    shown = f"{table!r} {table.entries!r} {table.entries[0].readings!r}"
    shown += str([each.__rich_repr__() for each in (table, *table.entries, *table.entries[0].readings)])
    assert not any(word in shown.lower() for word in ("алсу", "гарипов", "900", table.tag, CLIENT))


def test_overlapping_spans_are_covered_to_the_last_letter() -> None:
    """Two detectors may disagree where a name ends; what one of them saw must not stay."""
    text = "Казань Алсу Гарипова тут"
    spans = [Span(0, 11, Label.ADDRESS, "a"), Span(7, 20, Label.PERSON, "b"), Span(8, 9, Label.PERSON, "c")]
    hidden, table = hide(text, spans, begin())
    assert not any(word in hidden for word in ("Казань", "Алсу", "Гарипова"))
    assert hidden.endswith(" тут")
    assert len(table.entries) == 2


def test_a_span_of_signs_alone_hides_nothing() -> None:
    """There is nobody behind a comma."""
    assert hide("да, нет", [Span(2, 3, Label.PERSON, "test")], begin())[0] == "да, нет"


def test_forms_of_a_value_do_not_swell_the_table() -> None:
    """A hostile client writes one number in ten thousand ways."""
    conversation = Conversation(*(f"{{8{' ' * size}900 000-00-01|PHONE}}" for size in range(1, 100)))
    (entry,) = conversation.table.entries
    assert len(entry.forms) == FORMS_MAX


@pytest.mark.parametrize(
    "typed",
    [
        "xPERSON-1-dfgjlnqrsvwzРЕRSОN11dfgjlnqrsvwz",
        "person1⟦РЕRSОNPERSON-11",
        "CARD-1PERSON-1-dfgjlnqrsvwz",
        "[TEXT1⟦",
        "⟦PERSON-1-⟦PHONE-1",
    ],
)
def test_lookalikes_that_touch_others_are_hidden_whole(typed: str) -> None:
    """Cut in the middle of a word, the rest would look like a placeholder on the way back."""
    conversation = Conversation()
    hidden = conversation.hide(typed)
    assert conversation.restore(hidden) == typed
    assert hide(hidden, [], conversation.table) == (hidden, conversation.table)


def test_a_run_of_lookalikes_is_one_placeholder() -> None:
    """A thousand brackets would become a prompt of twenty thousand letters."""
    conversation = Conversation()
    typed = "⟦" * 500 + " ⟧ ⟦PERSON-1⟧, ⟧ и ⟦"
    assert conversation.short(typed) == "TEXT1 и TEXT2"
    assert conversation.restore(conversation.hide(typed)) == typed


def test_a_crowd_is_hidden_without_being_understood() -> None:
    """Grammar takes time: a list of ten thousand names must not hold up the other clients, and must still be hidden."""
    crowd = [f"Анна {chr(1072 + n % 30)}{chr(1072 + n // 30)}я" for n in range(PEOPLE_MAX + 50)]
    conversation = Conversation("{Тимур|PERSON}", *(f"{{{name}|PERSON}}" for name in crowd))
    assert len(conversation.table.entries) == len(crowd) + 1
    assert conversation.short(f"{{Тимур|PERSON}}, {{{crowd[-1]}|PERSON}}") == f"PERSON1, PERSON{len(crowd) + 1}"
    assert conversation.restore(conversation.hide(", ".join(crowd))) == ", ".join(crowd).title()


@pytest.mark.parametrize(
    "marked",
    [
        "⟦" * 100_000,
        "⟦а" * 20_000,
        "⟦PERSON-1-" * 10_000,
        "PERSON 1 d" * 10_000,
        "а" * 100_000,
        " ".join(
            f"{{Алсу {chr(1072 + n % 32) * 3}{chr(1072 + n // 32 % 32)}{chr(1072 + n // 1024)}ова|PERSON}}"
            for n in range(2000)
        ),
        " ".join("{Алсу|PERSON} {Ильнура Гариповой|PERSON}" for _ in range(2000)),
    ],
)
def test_a_hostile_message_is_hidden_whole(marked: str) -> None:
    """However long, it is hidden whole: what is too much to be told apart is hidden as it was typed."""
    text, spans = unmark(marked)
    hidden, table = hide(text, spans, begin())
    assert hide(text, [], table)[0]
    assert Conversation().restore(hidden) is not None
    assert not any(text[span.start : span.end] in hidden for span in spans[-3:])


@pytest.mark.parametrize("seed", ["⟦", "⟦а", "⟦PERSON-1-", "PERSON 1 d", "а", "Алсу "])
def test_a_hostile_message_does_not_block(seed: str) -> None:
    """A letter of a very long message costs no more than one of a short one: nobody waits for it."""
    assert growth(lambda text: hide(text, [], begin()), seed) < MOST_GROWTH

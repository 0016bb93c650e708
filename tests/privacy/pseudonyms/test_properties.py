import re

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.pseudonyms.hide import hide
from leadgate.privacy.pseudonyms.table import PseudonymTable
from tests.privacy.pseudonyms.rig import Conversation, begin, unmark

ALIEN = "dfgjlnqrsvwz"
OURS = begin().tag

NAMES = ("Алсу Гарипова", "Тимур", "Анна-Мария", "Гульназ", "Ольга Шевченко", "Liliya Safina", "Низамов С. Р.")
VALUES = (
    *(f"{{{name}|PERSON}}" for name in NAMES),
    *("{8 900 000-00-01|PHONE}", "{8 900 000-00-11|PHONE}", "{a.b@example.ru|EMAIL}", "{@alsu_1|USERNAME}"),
    *("{ул. Волкова, д. 21|ADDRESS}", "{4111 1111 1111 1111|CARD}", "{диабет|HEALTH}", "{9200 000001|PASSPORT}"),
)
values = st.sampled_from(VALUES)

LOOKALIKES = (
    *(
        "⟦",
        "⟧",
        "[",
        "]",
        "[[",
        "<",
        ">",
        "-",
        "_",
        "1",
        "11",
        " ",
        "PERSON",
        "person",
        "РЕRSОN",
        "PHONE",
        "IP",
        "TEXT",
        "е",
        "Р",
    ),
    *(ALIEN, ALIEN.upper(), ALIEN[:7], f"⟦PERSON-1-{ALIEN}⟧", f"PERSON-1-{ALIEN}", "⟦PERSON-1⟧", "\n", "\\_", "и", "."),
)
"""Pieces that placeholders and half placeholders are made of, except our tag, which nobody can type."""

plain = st.lists(st.sampled_from(LOOKALIKES) | st.text("абв АБ,.x0", max_size=4), max_size=8).map("".join)
"""No word in it asks for a case."""


@st.composite
def messages(draw: st.DrawFn) -> str:
    """Marked text: values in the nominative, between signs and look-alikes."""
    parts = []
    for value in draw(st.lists(values, max_size=5)):
        parts += [draw(plain), " | ", value, " | "]
    return "".join([*parts, draw(plain)])


pieces = st.sampled_from(
    [
        *(*LOOKALIKES, OURS, OURS[:-1], OURS.upper(), " к ", " и ", " у мастера ", "**", "слово", "⟦имя⟧", " \u00a0"),
        *(
            f"⟦PERSON-1-{OURS}⟧",
            f"⟦PERSON-2-{OURS}⟧",
            f"⟦PHONE-1-{OURS}⟧",
            f"person 2 {OURS}",
            f"[[PERSON-1-{OURS}]]",
            "x" * 70,
        ),
    ]
)
answers = st.lists(pieces, max_size=12).map("".join)
"""What a model may write, whole and broken placeholders of ours among it."""


@given(st.lists(messages(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=400)
def test_hiding_and_restoring_gives_the_text_back(turns: list[str]) -> None:
    """Whatever a client types comes back letter by letter when no word asks for another case."""
    conversation = Conversation()
    for marked in turns:
        hidden = conversation.hide(marked)
        assert conversation.restore(hidden) == unmark(marked)[0]


@given(st.lists(messages(), min_size=1, max_size=3))
@settings(deadline=None)
def test_no_value_of_the_table_stands_in_hidden_text(turns: list[str]) -> None:
    """The promise to the client, in one line."""
    conversation = Conversation()
    for marked in turns:
        hidden = re.sub(r"⟦[A-Z]+-\d+-[a-z]{12}⟧", "⟦⟧", conversation.hide(marked))
        known = {
            form
            for entry in conversation.table.entries
            if entry.label != "TEXT"
            for form in (*entry.forms, entry.value)
        }
        assert [form for form in known if re.search(rf"(?<!\w){re.escape(form)}(?!\w)", hidden)] == []


@given(messages(), messages())
@settings(deadline=None, max_examples=400)
def test_hidden_text_hidden_again_is_the_same(first: str, second: str) -> None:
    """With the finds of a detector that sees the placeholders, and without."""
    conversation = Conversation(first)
    hidden = conversation.hide(second)
    assert hide(hidden, [], conversation.table) == (hidden, conversation.table)


@given(messages())
@settings(deadline=None)
def test_a_kept_table_is_the_same_table(marked: str) -> None:
    """Sealing and opening in between changes nothing."""
    table = Conversation(marked).table
    assert msgspec.json.decode(msgspec.json.encode(table), type=PseudonymTable) == table


@given(answers, st.data())
@settings(deadline=None, max_examples=400)
def test_every_split_into_chunks_gives_what_the_whole_gives(answer: str, data: st.DataObject) -> None:
    """Networks and tokenisers cut where they like."""
    conversation = Conversation("{Алсу Гарипова|PERSON}, {Тимур|PERSON}, {8 900 000-00-01|PHONE}")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)))))
    chunks = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    assert "".join(conversation.stream(*chunks)) == conversation.restore(answer)
    assert "".join(conversation.stream(*answer)) == conversation.restore(answer)


@given(answers)
@settings(deadline=None)
def test_no_raw_placeholder_leaves(answer: str) -> None:
    """Neither our brackets nor a tag beside its label and number."""
    shown = Conversation("{Алсу Гарипова|PERSON}, {8 900 000-00-01|PHONE}").restore(answer)
    assert not set(shown) & set("⟦⟧")
    assert re.search(rf"PERSON[-_]1[-_]({OURS}|{ALIEN})", shown) is None


@given(answers, st.integers(1, 1000))
@settings(deadline=None)
def test_placeholders_of_strangers_never_resolve(answer: str, seed: int) -> None:
    """An answer of one conversation, by whatever mistake, restored with the table of another."""
    stranger = Conversation("{Зухра Хасанова|PERSON}, {Рустем|PERSON}, {8 900 000-00-09|PHONE}", seed=seed)
    shown = stranger.restore(answer)
    assert not any(word in shown for word in ("Зухр", "Хасанов", "Рустем", "00-09"))


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(list(Label))), max_size=6),
)
@settings(deadline=None)
def test_any_spans_of_any_text_are_covered(text: str, places: list[tuple[int, int, Label]]) -> None:
    """Detectors err; hiding must neither fail nor leave a letter of what they found."""
    spans = [Span(min(a, b, len(text)), min(max(a, b), len(text)), label, "test") for a, b, label in places]
    hidden, table = hide(text, spans, begin())
    Conversation().restore(hidden)
    assert hide(hidden, [], table) == (hidden, table)
    left = re.sub(rf"⟦[A-Z]+-\d+-{table.tag}⟧", "", hidden)
    covered = {at for span in spans for at in range(span.start, span.end)}
    letters = sum(letter.isalnum() for at, letter in enumerate(text) if at not in covered)
    assert sum(letter.isalnum() for letter in left) <= letters

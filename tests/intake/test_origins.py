"""Which page may call: the list is exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.intake.origins import MAX_ORIGINS, is_listed, is_origin, origins_problem


@pytest.mark.parametrize(
    "origin",
    [
        "https://salon.example",
        "https://www.salon.example:8443",
        "http://127.0.0.1:8080",
        "http://localhost:3000",
        "http://[::1]:8080",
        "https://xn--80anph.example",
    ],
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    """What stands in the Origin header can be copied into the list."""
    assert is_origin(origin)
    assert origins_problem(origin) is None
    assert is_listed(origin, {"allowed_origins": f"https://other.example,  {origin} "})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "https://*.salon.example",
        "https://salon.example/",
        "https://salon.example/chat",
        "https://salon.example:443",
        "http://salon.example:80",
        "https://salon.example:99999",
        "https://Salon.example",
        "https://лимон.example",
        "https://user@salon.example",
        "ftp://salon.example",
        "salon.example",
        "https://salon..example",
        "https://-salon.example",
    ],
)
def test_what_is_not_an_exact_origin_is_neither_taken_nor_matched(text: str) -> None:
    """A wildcard or a slash would never match, or match too much; say it when the list is typed."""
    assert not is_origin(text)
    assert origins_problem(f"https://salon.example,{text or ' /'}") is not None
    assert not is_listed(text, {"allowed_origins": text})


def test_the_problem_never_repeats_the_value() -> None:
    """What people paste by mistake may be a secret."""
    problem = origins_problem("https://salon.example, https://secret-word.example/path")
    assert problem is not None
    assert "number 2" in problem
    assert "secret-word" not in problem


def test_an_empty_list_lets_nobody_in() -> None:
    """Fail closed: no setting, no origin; and a line break makes another text."""
    assert not is_origin("https://salon.example\n")
    assert origins_problem(" , ") is not None
    assert not is_listed("https://salon.example", {})
    assert not is_listed("https://salon.example", {"allowed_origins": ""})
    assert not is_listed(None, {"allowed_origins": "https://salon.example"})


def test_a_list_is_bounded() -> None:
    """A list of thousands is a mistake."""
    many = ",".join(f"https://s{number}.example" for number in range(MAX_ORIGINS + 1))
    assert origins_problem(many) is not None


@given(st.text(max_size=40))
def test_nothing_but_the_listed_origin_itself_is_let_in(text: str) -> None:
    """No prefix, suffix or other spelling passes."""
    listed = "https://salon.example"
    assert is_listed(text, {"allowed_origins": listed}) == (text == listed)
    assert not is_listed(listed + text, {"allowed_origins": listed}) or not text

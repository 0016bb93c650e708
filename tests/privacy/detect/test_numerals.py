import pytest

from leadgate.privacy.detect.check_digits import passes_inn, passes_luhn, passes_snils
from leadgate.privacy.detect.numerals import joined, values_of
from leadgate.privacy.detect.runs import find_runs


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("двести сорок один ноль шесть", ["241", "0", "6"]),
        ("сто сорок ноль ноль", ["140", "0", "0"]),
        ("тугыз йөз утыз җиде", ["937"]),
        ("ике йөз дә җиде, кырык", ["207", "40"]),
        ("8917 двести-41/07", ["8917", "200", "41", "07"]),
    ],
)
def test_number_words_become_the_digits_that_are_meant(text: str, groups: list[str]) -> None:
    """A hundred takes tens and units, zero stands alone, Tatar multiplies its hundreds."""
    runs = [run.groups for run in find_runs(text.ljust(len(text) + 1) + "1234")]
    assert runs[0][: len(groups)] == groups


def test_words_written_as_one_are_parted() -> None:
    """Dictated numbers come without spaces."""
    assert values_of("восемьдевятьсотпять") == [8, 900, 5]
    assert joined(8, 900) is None
    assert joined(9, 100) == 900, "тугыз йөз"
    assert joined(6, 100, multiplies=False) is None, "шесть, сто двенадцать"


def test_dates_are_no_part_of_a_run() -> None:
    """Two dates side by side have sixteen digits."""
    assert find_runs("14.06.2025 15.06.2025") == []


def test_check_digits_tell_right_from_wrong() -> None:
    """One digit changed and the number passes no more."""
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")
    assert passes_snils("11223344595")
    assert not passes_snils("11223344596")
    assert not passes_snils("1122334459")
    assert passes_inn("1655123407")
    assert not passes_inn("1655123408")
    assert passes_inn("165512340987")
    assert not passes_inn("165512340988")
    assert not passes_inn("16551234098")

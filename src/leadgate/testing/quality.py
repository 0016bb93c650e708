"""What we promise of an integration: its `quality.yaml` says `done`, `todo - why` or `exempt - why` by rule."""

from __future__ import annotations

from pathlib import Path

RULES = (
    "proof_in_constant_time",
    "two_live_secrets",
    "redelivery_has_the_same_key",
    "unknown_is_kept",
    "unstorable_text_is_cleaned",
    "groups_are_ignored",
    "own_words_are_ignored",
    "foreign_phone_is_not_verified",
    "every_answer_is_an_outcome",
    "answers_are_bounded",
    "secrets_stay_out_of_logs",
    "live_check",
    "registration_keeps_what_waits",
    "fixtures",
    "second_opinion",
    "documented",
)
"""Every rule, in the order of the path of a message."""


def read_quality(file: Path) -> dict[str, str]:
    """The state of each rule in a `quality.yaml` of `rule: state` lines; # begins a remark."""
    lines = [line for line in file.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return {rule.strip(): state.strip() for rule, _, state in (line.partition(":") for line in lines)}


def quality_problems(states: dict[str, str]) -> list[str]:
    """What is wrong with the states: a rule that is missing or unknown, a state without its reason."""
    problems = [f"{rule} is missing" for rule in RULES if rule not in states]
    problems += [f"{rule} is no rule" for rule in states if rule not in RULES]
    for rule, state in states.items():
        word, _, reason = state.partition(" - ")
        if word not in {"done", "todo", "exempt"} or (word != "done" and not reason):
            problems.append(f"{rule} must be done, or todo or exempt with a reason")
    return problems

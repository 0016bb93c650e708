"""`make pii-score`: the detector and the baselines on every author, in one run; the tables go to `docs/pii-score.md`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from leadgate.privacy.detect.detector import find
from leadgate.privacy.detect.spans import Label
from pii_score.baselines import patterns, patterns_and_natasha, presidio_and_natasha
from pii_score.marks import AUTHORS, KEPT_BACK, Message, read_author, read_development
from pii_score.score import Detector, Found, Score, f1_of, measure

_PAGE = Path(__file__).parents[1] / "docs" / "pii-score.md"
_BEGIN, _END = "<!-- figures: make pii-score -->", "<!-- end of figures -->"


def ours(text: str) -> Found:
    """Leadgate's detector."""
    return [(span.start, span.end, span.label.value) for span in find(text)]


DETECTORS: Mapping[str, Detector] = {
    "Leadgate": ours,
    "patterns + natasha (slovnet)": patterns_and_natasha,
    "Presidio + Russian add-ons + natasha": presidio_and_natasha,
    "patterns (regex, phonenumbers, Luhn)": patterns,
}


def main() -> None:
    """Measure, print, and write the page when asked to."""
    parser = argparse.ArgumentParser(prog="make pii-score", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/pii-score.md")
    write = parser.parse_args().write
    sets = {"dev": read_development(), **{author: read_author(author) for author in AUTHORS}}
    ours("Алсу, 8 900 000-03-02")  # the dictionaries are read now and not within the figures
    tables = "\n\n".join([_by_author(sets), *(_by_label(author, sets[author]) for author in KEPT_BACK)])
    print(tables)
    if write:
        page = _PAGE.read_text(encoding="utf-8")
        before, after = page.partition(_BEGIN)[0], page.partition(_END)[2]
        _PAGE.write_text(f"{before}{_BEGIN}\n{tables}\n{_END}{after}", encoding="utf-8")


def _by_author(sets: Mapping[str, Sequence[Message]]) -> str:
    lines = [
        "| detector | author | F1 | exact F1 | leaked % | clean touched % | masked outside % | messages/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, detect in DETECTORS.items():
        for author, messages in sets.items():
            started = time.perf_counter()
            score = measure(messages, detect)
            rate = len(messages) / (time.perf_counter() - started)
            shown = f"**{author}** (kept back)" if author in KEPT_BACK else author
            lines.append(f"| {name} | {shown} | {_figures(score)} | {rate:,.0f} |")
    return "\n".join(lines)


def _figures(score: Score) -> str:
    exact = f1_of(score.exact.total(), score.found.total(), score.expected.total())
    shares = (score.f1, exact, score.leak, score.touch, score.masked / max(1, score.unmarked))
    return " | ".join(f"{100 * share:.1f}" for share in shares)


def _by_label(author: str, messages: Sequence[Message]) -> str:
    score = measure(messages, ours)
    lines = [f"| label (author {author}) | marks | precision | recall | F1 | leaked % |", "|---|---|---|---|---|---|"]
    for label in Label:
        right, found, expected = score.right[label], score.found[label], score.expected[label]
        shares = (
            right / found if found else 1.0,
            right / expected if expected else 1.0,
            f1_of(right, found, expected),
            score.leaked_by[label] / max(1, score.marked_by[label]),
        )
        lines.append(f"| {label} | {expected} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

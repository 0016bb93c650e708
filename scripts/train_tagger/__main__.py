"""`python -m scripts.train_tagger`: lists, learning on everything but the kept-back author, the file that ships."""

from __future__ import annotations

import argparse
import pickle
import random
import time
from pathlib import Path

from leadgate.privacy.detect.tagger.find import GUARD
from leadgate.privacy.detect.tagger.lexicon import Lexicon
from leadgate.privacy.detect.tagger.words import Words
from pii_score.marks import AUTHORS, KEPT_BACK, Message, read_author, read_development
from scripts.train_tagger import learn
from scripts.train_tagger.judge import judge, mistakes
from scripts.train_tagger.lists import write_lists
from scripts.train_tagger.noise import without_case


def main() -> None:
    """Learn and write; with `--without a` learn without that author, judge on him and write nothing."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--without",
        choices=[*sorted({*AUTHORS} - {*KEPT_BACK}), "dev"],
        help="an author to judge on instead of writing",
    )
    parser.add_argument("--generated", type=int, default=28_000, help="messages to generate")
    parser.add_argument("--rounds", type=int, default=75)
    parser.add_argument("--copies", type=int, default=4, help="of each written message, with noise")
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--c1", type=float, default=0.1)
    parser.add_argument("--c2", type=float, default=0.03)
    parser.add_argument("--mistakes", action="store_true")
    parser.add_argument("--save", help="a file for the weights of a run with --without")
    options = parser.parse_args()
    since = time.perf_counter()
    write_lists()
    sets: dict[str, list[Message]] = {author: read_author(author) for author in AUTHORS if author not in KEPT_BACK}
    sets["dev"] = read_development()
    held_out = sets.pop(options.without, []) if options.without else []
    rng = random.Random(options.seed)  # noqa: S311 - variety, no secrets
    written = [message for messages in sets.values() for message in messages]
    messages = [*learn.varied(written, rng, options.copies), *learn.generated(options.generated, options.seed)]
    lexicon = Lexicon()
    hide = learn.Hide()
    rows = learn.rows_of(messages, Words(lexicon, hide), hide, rng)
    learn.report_time(f"{len(rows)} messages, {sum(len(labels) for _, labels in rows)} tokens", since)
    weights, moves = learn.train(rows, rounds=options.rounds, c1=options.c1, c2=options.c2)
    learn.report_time(f"{len(weights)} features", since)
    if not options.without:
        print(learn.write(weights, moves), "features written")
        learn.write_frequent(messages, lexicon)
        return
    if options.save:
        Path(options.save).write_bytes(pickle.dumps((weights, moves)))
    tagger = learn.tagger_of(weights, moves, lexicon)
    for more in (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0):
        guard = (GUARD[0] + more, GUARD[1] + more, GUARD[2] + more)
        print(f"{options.without} {more:+.1f} {judge(tagger, held_out, guard).line()}", flush=True)
    lower = [without_case(message) for message in held_out]
    print(f"{options.without} small {judge(tagger, lower, GUARD).line()}")
    if options.mistakes:
        print("\n".join(mistakes(tagger, held_out, GUARD)))


if __name__ == "__main__":
    main()

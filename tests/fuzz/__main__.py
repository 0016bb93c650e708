"""`python -m tests.fuzz`: odd bodies against every receiver.

python -m tests.fuzz --seconds 600                       all channels, ten minutes; ends with 1 when a rule broke
python -m tests.fuzz --kind vk --seed 7 --number 4711    one body again
"""

import argparse
import random
import sys

from tests.fuzz.campaign import run, try_one
from tests.fuzz.seeds import find_target, fuzzed_kinds


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fire odd bodies at every receiver.")
    parser.add_argument("--seconds", type=float, default=600, help="in all (600)")
    parser.add_argument("--seed", type=int, help="repeats a campaign; random and printed otherwise")
    parser.add_argument("--kind", help="only this channel")
    parser.add_argument("--number", type=int, help="only this body of it")
    options = parser.parse_args()
    seed = random.randrange(2**31) if options.seed is None else options.seed  # noqa: S311 - no secret is made here
    kinds = [options.kind] if options.kind else fuzzed_kinds()
    is_broken = False
    for kind in kinds:
        if options.number is not None:
            count, broken = 1, try_one(find_target(kind), seed=seed, number=options.number)
        else:
            count, broken = run(find_target(kind), seed=seed, seconds=options.seconds / len(kinds))
        is_broken |= broken is not None
        _say(f"{kind}: {count} bodies, seed {seed}: {'kept every rule' if broken is None else broken.told()}")
    return 1 if is_broken else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

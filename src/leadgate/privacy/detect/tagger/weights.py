"""What was learned: a weight for each feature and label, summed per word and place; the best row of labels is chosen here.

A linear chain: the sums of a word are kept, so a word that was seen before costs five additions and no look-ups of features.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from leadgate.privacy.detect.tagger.lexicon import DATA, Lexicon, Word
from leadgate.privacy.detect.tagger.surroundings import CONTEXT_KINDS, View, context_features, view_features, views_of
from leadgate.privacy.detect.tagger.tokens import Token
from leadgate.privacy.detect.tagger.words import Words, far_features, near_features, own_features

LABELS = ("O", "PERSON", "ADDRESS", "HEALTH")
_KEPT_WORDS, _KEPT_PLACES = 20_000, 40_000
_NOTHING = (0.0, 0.0, 0.0)
_PERSON = LABELS.index("PERSON")
_NEARLY = -2.5
"""How much may speak against a word beside a name."""

Sum = tuple[float, float, float]
"""For PERSON, ADDRESS, HEALTH; nothing at all weighs zero."""


class Seen(NamedTuple):
    """A word as its places see it: its own sum, and what it adds to neighbours one and two to the right and to the left."""

    known: Word
    own: Sum
    to_right: Sum
    to_left: Sum
    to_far_right: Sum
    to_far_left: Sum


class Tagger:
    """Labels for tokens.

    Args:
        words: features by word.
        weights: for a feature the weights of PERSON, ADDRESS and HEALTH; absent ones weigh nothing.
        moves: weight of going from one label to the next, `moves[from][to]`, in the order of `LABELS`.
    """

    def __init__(self, words: Words, weights: dict[str, Sum], moves: Sequence[Sequence[float]]) -> None:
        self.words = words
        self._weights = weights
        self._moves = [list(row) for row in moves]
        self._seen = lru_cache(maxsize=_KEPT_WORDS)(self._look)
        self._contexts: dict[str, dict[tuple[str, ...], Sum]] = {kind: {} for kind in CONTEXT_KINDS}
        for feature, weight in weights.items():
            kind, *classes = feature.split("|")
            if kind in self._contexts:
                self._contexts[kind][tuple(classes)] = weight
        self._view = lru_cache(maxsize=_KEPT_PLACES)(self._weigh_view)

    @classmethod
    def load(cls) -> Tagger:
        """The one that ships."""
        head, *lines = lzma.decompress((DATA / "weights.xz").read_bytes()).decode().split("\n")
        moves = [[float(weight) for weight in row.split()] for row in head.split("|")]
        values = {str(size): size / 50 for size in range(-1000, 1001)}
        weights = {}
        for line in lines:
            feature, person, address, health = line.rsplit("\t", 3)
            weights[feature] = (values[person], values[address], values[health])
        words = Words(Lexicon())
        for line in lzma.decompress((DATA / "frequent.xz").read_bytes()).decode().split("\n"):
            word, main, *flags = line.split("\t")
            words.ready[word] = Word(tuple(flags), main)
        return cls(words, weights, moves)

    def _total(self, features: Iterable[str]) -> Sum:
        find = self._weights.get
        person = address = health = 0.0
        for feature in features:
            found = find(feature)
            if found is not None:
                person += found[0]
                address += found[1]
                health += found[2]
        return person, address, health

    def _look(self, word: str, kind: str) -> Seen:
        known = self.words.look_up(word, kind)
        near, far = near_features(word, known), far_features(word, known)
        return Seen(
            known,
            self._total(["0" + feature for feature in own_features(word, known)]),
            self._total(["-1" + feature for feature in near]),
            self._total(["+1" + feature for feature in near]),
            self._total(["-2" + feature for feature in far]),
            self._total(["+2" + feature for feature in far]),
        )

    def _weigh_view(self, view: View) -> Sum:
        return self._total(view_features(view))

    def sums(self, tokens: Sequence[Token]) -> list[Sum]:
        """How much speaks for each label at each token."""
        seen = [self._seen(token.word, token.kind) for token in tokens]
        views = views_of(tokens, [each.known for each in seen])
        mains = ["^", "^", *[view[0] for view in views], "$", "$"]
        size = len(tokens)
        weights = self._weights.get
        # By classes rather than by the feature's name: to put names together would take half of a message's time.
        of_left, of_right, of_both, of_far_left, of_far_right = (self._contexts[kind].get for kind in CONTEXT_KINDS)
        found = []
        for at, each in enumerate(seen):
            own = each.own
            two, one, main, next_one, next_two = mains[at : at + 5]
            c1 = of_left((one, main), _NOTHING)
            c2 = of_right((main, next_one), _NOTHING)
            c3 = of_both((one, main, next_one), _NOTHING)
            c4 = of_far_left((two, one, main), _NOTHING)
            c5 = of_far_right((main, next_one, next_two), _NOTHING)
            view = self._view(views[at])
            left = seen[at - 1].to_right if at else _NOTHING
            far_left = seen[at - 2].to_far_right if at > 1 else _NOTHING
            right = seen[at + 1].to_left if at + 1 < size else _NOTHING
            far_right = seen[at + 2].to_far_left if at + 2 < size else _NOTHING
            pair = weights(f"wl|{tokens[at - 1].word}|{main}" if at else "wl|^", _NOTHING)
            other = weights(f"wr|{tokens[at + 1].word}|{main}" if at + 1 < size else "wr|$", _NOTHING)
            found.append(
                (
                    own[0]
                    + c1[0]
                    + c2[0]
                    + c3[0]
                    + c4[0]
                    + c5[0]
                    + view[0]
                    + left[0]
                    + far_left[0]
                    + right[0]
                    + far_right[0]
                    + pair[0]
                    + other[0],
                    own[1]
                    + c1[1]
                    + c2[1]
                    + c3[1]
                    + c4[1]
                    + c5[1]
                    + view[1]
                    + left[1]
                    + far_left[1]
                    + right[1]
                    + far_right[1]
                    + pair[1]
                    + other[1],
                    own[2]
                    + c1[2]
                    + c2[2]
                    + c3[2]
                    + c4[2]
                    + c5[2]
                    + view[2]
                    + left[2]
                    + far_left[2]
                    + right[2]
                    + far_right[2]
                    + pair[2]
                    + other[2],
                )
            )
        return found

    def alone(self, tokens: Sequence[Token]) -> list[int]:
        """Labels by each word alone, without its company: quick, and finds too much rather than too little."""
        names = LABELS.index("PERSON")
        return [names if token.kind == "w" and self._seen(token.word, token.kind).own[0] > 0 else 0 for token in tokens]

    def best_row(self, tokens: Sequence[Token], guard: Sum = _NOTHING) -> list[int]:
        """The best labels, by number in `LABELS`; `guard` is taken from each label's sum, so more of it finds less."""
        (m00, m01, m02, m03), (m10, m11, m12, m13), (m20, m21, m22, m23), (m30, m31, m32, m33) = self._moves
        none, person, address, health = 0.0, -1e9, -1e9, -1e9
        steps = []
        is_first = True
        sums = self.sums(tokens)
        for token, (for_person, for_address, for_health) in zip(tokens, sums, strict=True):
            if is_first:
                is_first = False
                person, address, health = for_person - guard[0], for_address - guard[1], for_health - guard[2]
                if token.kind == "t":
                    person = address = health = -1e9
                continue
            to_none = (none + m00, person + m10, address + m20, health + m30)
            to_person = (none + m01, person + m11, address + m21, health + m31)
            to_address = (none + m02, person + m12, address + m22, health + m32)
            to_health = (none + m03, person + m13, address + m23, health + m33)
            none, person, address, health = max(to_none), max(to_person), max(to_address), max(to_health)
            steps.append(
                (to_none.index(none), to_person.index(person), to_address.index(address), to_health.index(health))
            )
            if token.kind == "t":
                person = address = health = -1e9
            else:
                person += for_person - guard[0]
                address += for_address - guard[1]
                health += for_health - guard[2]
        last = (none, person, address, health)
        row = [last.index(max(last))]
        for step in reversed(steps):
            row.append(step[row[-1]])
        row.reverse()
        if _PERSON in row:
            _widen(row, tokens, sums)
        return row


def _widen(row: list[int], tokens: Sequence[Token], sums: Sequence[Sum]) -> None:
    """Take the word beside a person's name in when little speaks against it: half a name masked is a name leaked."""
    for at, label in enumerate(row):
        if label or tokens[at].kind != "w" or sums[at][0] < _NEARLY:
            continue
        is_after = at > 0 and row[at - 1] == _PERSON and tokens[at - 1].end + 1 == tokens[at].start
        is_before = at + 1 < len(row) and row[at + 1] == _PERSON and tokens[at].end + 1 == tokens[at + 1].start
        if is_after or is_before:
            row[at] = _PERSON


def features_of(words: Words, tokens: Sequence[Token]) -> list[list[str]]:
    """The same features, named one by one, for learning."""
    known = [words.look_up(token.word, token.kind) for token in tokens]
    views = views_of(tokens, known)
    mains = ["^", "^", *[view[0] for view in views], "$", "$"]
    size = len(tokens)
    rows = []
    for at, token in enumerate(tokens):
        row = ["0" + feature for feature in own_features(token.word, known[at])]
        for shift, features in ((-1, near_features), (1, near_features), (-2, far_features), (2, far_features)):
            if 0 <= at + shift < size:
                row += [f"{shift:+d}{feature}" for feature in features(tokens[at + shift].word, known[at + shift])]
        row += context_features((mains[at], mains[at + 1], mains[at + 2], mains[at + 3], mains[at + 4]))
        row += view_features(views[at])
        row.append(f"wl|{tokens[at - 1].word}|{mains[at + 2]}" if at else "wl|^")
        row.append(f"wr|{tokens[at + 1].word}|{mains[at + 2]}" if at + 1 < size else "wr|$")
        rows.append(row)
    return rows

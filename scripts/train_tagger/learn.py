"""Learns the weights from marked messages and writes them; judges by leaving an author out."""

from __future__ import annotations

import lzma
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pycrfsuite

from leadgate.privacy.detect.fold import fold
from leadgate.privacy.detect.spans import Label, Span
from leadgate.privacy.detect.tagger.lexicon import Lexicon
from leadgate.privacy.detect.tagger.tokens import Token, tokens_of
from leadgate.privacy.detect.tagger.weights import LABELS, Sum, Tagger, features_of
from leadgate.privacy.detect.tagger.words import Words
from pii_score.marks import Message, read_line
from scripts.train_tagger.lists import DATA
from scripts.train_tagger.messages import Writer
from scripts.train_tagger.noise import with_noise, without_case
from scripts.train_tagger.people import People

LEARNED = frozenset(LABELS[1:])
_STEP = 50
_SMALLEST, _LARGEST = 2, 1000
"""Steps of a weight that is written: less changes nothing, more is cut."""
_HIDDEN_PERCENT = 11
_FREQUENT = 7_000
Row = tuple[list[list[str]], list[str]]


def generated(count: int, seed: int) -> list[Message]:
    """Generated messages; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - variety, no secrets
    writer = Writer(rng, People(rng))
    return [with_noise(read_line(f"g{number}", writer.write()), rng) for number in range(count)]


def varied(messages: Iterable[Message], rng: random.Random, copies: int) -> list[Message]:
    """Each as written, in small letters, and as others would have typed it."""
    found = []
    for message in messages:
        found += [message, without_case(message)]
        found += [with_noise(message, rng) for _ in range(copies - 2)]
    return found


def taken_of(
    message: Message, places: dict[int, int], rng: random.Random | None = None, *, loss: float = 0.0
) -> list[Span]:
    """What the finders of structured data would take: the marks of other labels, a share of them lost."""
    return [
        Span(places[start], places[end - 1] + 1, Label(label), "gold")
        for start, end, label in message.spans
        if label not in LEARNED and start in places and end - 1 in places and (rng is None or rng.random() >= loss)
    ]


def folded_places(message: Message) -> tuple[str, dict[int, int]]:
    """The folded text and, for places of the typed text, those of the folded one."""
    folded = fold(message.text)
    return folded.text, {folded.place(at, at + 1)[0]: at for at in range(len(folded.text))}


def labels_of(message: Message, tokens: Sequence[Token], places: dict[int, int]) -> list[str]:
    """The label of each token."""
    marks = [(start, end, label) for start, end, label in message.spans if label in LEARNED]
    back = {folded: typed for typed, folded in places.items()}
    found = []
    for token in tokens:
        start, end = back[token.start], back[token.end - 1] + 1
        label = next((label for begin, until, label in marks if start < until and begin < end), "O")
        found.append("O" if token.kind == "t" else label)
    return found


def rows_of(messages: Iterable[Message], words: Words, hide: Hide, rng: random.Random) -> list[Row]:
    """Features and labels to learn from."""
    rows = []
    for number, message in enumerate(messages):
        hide.salt = str(number)
        text, places = folded_places(message)
        tokens = tokens_of(text, taken_of(message, places, rng, loss=0.04))
        if tokens:
            rows.append((features_of(words, tokens), labels_of(message, tokens, places)))
    return rows


@dataclass(slots=True)
class Hide:
    """Words that lists and dictionary shall not know in a message while learning: names that nobody has listed look like this."""

    salt: str = ""

    def __call__(self, word: str) -> bool:
        """Whether to hide it here."""
        return crc32((self.salt + word).encode()) % 100 < _HIDDEN_PERCENT


def train(rows: Iterable[Row], *, rounds: int, c1: float, c2: float) -> tuple[dict[str, Sum], list[list[float]]]:
    """Weights by feature, and the moves from label to label."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for features, labels in rows:
        trainer.append(features, labels)
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": rounds, "feature.minfreq": 2})
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
    weights: dict[str, list[float]] = {}
    for (feature, label), weight in info.state_features.items():
        row = weights.setdefault(feature, [0.0] * len(LABELS))
        row[LABELS.index(label)] = weight
    moves = [[info.transitions.get((one, two), -9.0) for two in LABELS] for one in LABELS]
    return {feature: (row[1] - row[0], row[2] - row[0], row[3] - row[0]) for feature, row in weights.items()}, moves


def write(weights: dict[str, Sum], moves: list[list[float]]) -> int:
    """Write what ships; returns how many features it has. Weights are rounded to fiftieths."""
    lines = ["|".join(" ".join(f"{weight:.3f}" for weight in row) for row in moves)]
    for feature, row in sorted(weights.items()):
        steps = [max(-_LARGEST, min(_LARGEST, round(weight * _STEP))) for weight in row]
        if max(map(abs, steps)) >= _SMALLEST and "\t" not in feature and "\n" not in feature:
            lines.append("\t".join([feature, *map(str, steps)]))
    (DATA / "weights.xz").write_bytes(lzma.compress("\n".join(lines).encode(), preset=9))
    return len(lines) - 1


def write_frequent(messages: Iterable[Message], lexicon: Lexicon) -> None:
    """Write what lists and dictionary say of the most frequent words: a search in the dictionary is slow."""
    counts: Counter[str] = Counter()
    for message in messages:
        counts.update(
            token.word for token in tokens_of(fold(message.text).text) if token.kind == "w" and "\t" not in token.word
        )
    words = Words(lexicon)
    known = {word: words.look_up(word, "w") for word, _ in counts.most_common(_FREQUENT)}
    lines = ["\t".join([word, known[word].main, *known[word].flags]) for word in sorted(known)]
    (DATA / "frequent.xz").write_bytes(lzma.compress("\n".join(lines).encode(), preset=9))


def tagger_of(weights: dict[str, Sum], moves: list[list[float]], lexicon: Lexicon) -> Tagger:
    """For judging, without a file."""
    return Tagger(Words(lexicon), weights, moves)


def report_time(what: str, since: float) -> None:
    """How long a step took."""
    print(f"{what}: {time.perf_counter() - since:.0f} s", flush=True)

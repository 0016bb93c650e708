"""Checks an exported journal without Leadgate: one file, Python 3.11, and `cryptography` for the signatures.

    python verifier.py EXPORT --key PUBLIC_KEY_FILE [--checkpoint FILE]...

EXPORT is what `leadgate journal export` or `leadgate journal proof` wrote, PUBLIC_KEY_FILE the file `journal-public-key` that you
took out of the data directory on the day you began to trust it, FILE a checkpoint of `leadgate journal head` that you kept.
Exit codes: 0 all is as it was written, 1 something is not (the first bad entry is named), 2 wrong use.

What is checked: each line is canonical JSON (RFC 8785); the leaf of an entry is the line with the signature of the entry before
as `previous` in the place of its own `signature`; the Merkle root (RFC 9162) over all leaves so far is signed with Ed25519 as a
C2SP tlog-checkpoint, by each entry anew; every checkpoint given is signed and is the root of as many entries as it says.
This file shares no code with the journal, on purpose: read it, or write your own.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "leadgate-journal/1"
EXTRACT_FORMAT = "leadgate-journal-extract/1"
STRIDE = 1024
COLUMNS = {"number", "at", "tag", "by", "on", "result", "details"}


class Refused(Exception):  # noqa: N818 - it is the verdict of this program
    """What is not as it was written."""


class Key:
    """The public key of the journal: `name+number+base64`."""

    def __init__(self, line: str) -> None:
        """Read the line, or refuse it."""
        found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", line.strip())
        raw = base64.b64decode(found[3]) if found else b""
        if found is None or raw[:1] != b"\x01" or len(raw) != 33:  # noqa: PLR2004 - Ed25519: a mark and 32 bytes
            raise Refused("the public key cannot be read")
        self.name = found[1]
        self.number = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        self.key = Ed25519PublicKey.from_public_bytes(raw[1:])
        if self.number.hex() != found[2]:
            raise Refused("the public key is damaged")

    def signed(self, size: int, root: bytes, signature: bytes) -> bool:
        """True when the key signed this size and root."""
        body = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        try:
            self.key.verify(signature, body.encode())
        except InvalidSignature:
            return False
        return True

    def read(self, note: str) -> tuple[int, bytes]:
        """Size and root of a checkpoint, or a refusal."""
        pattern = rf"(?:^|\n){re.escape(self.name)}\n(0|[1-9][0-9]{{0,15}})\n([A-Za-z0-9+/]{{43}}=)\n\n(.*)"
        note_found = re.search(pattern, note.replace("\r\n", "\n"), re.DOTALL)
        if note_found is None:
            raise Refused("a checkpoint is not one of this journal")
        size, root = int(note_found[1]), unbase64(note_found[2])
        for line in note_found[3].split("\n"):
            found = re.fullmatch(r"\u2014 (\S+) (\S+)", line.rstrip())
            if found and found[1] == self.name:
                raw = unbase64(found[2])
                if raw[:4] == self.number and self.signed(size, root, raw[4:]):
                    return size, root
        raise Refused(f"the checkpoint of {size} entries is forged: the journal's key did not sign it")


def unbase64(text: object) -> bytes:
    """Bytes of a base64 text in the one way it is written; anything else gives no bytes, which fits nothing."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def canonical(value: object) -> bytes:
    """JSON in the one way it is written."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def parse(line: bytes) -> dict[str, object] | None:
    """A line of canonical JSON, or None when it is something else."""
    try:
        value = json.loads(line)
        return value if isinstance(value, dict) and canonical(value) == line else None
    except (ValueError, RecursionError):
        return None


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


def grow(peaks: list[tuple[int, bytes]], leaf: bytes) -> list[tuple[int, bytes]]:
    """The whole subtrees (size, hash) of a tree with one more leaf."""
    peaks, size = [*peaks], 1
    while peaks and peaks[-1][0] == size:
        leaf, size = node_hash(peaks.pop()[1], leaf), size * 2
    return [*peaks, (size, leaf)]


def root_of(peaks: list[tuple[int, bytes]]) -> bytes:
    """The root over whole subtrees."""
    if not peaks:
        return hashlib.sha256(b"").digest()
    root = peaks[-1][1]
    for _, peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


class Walk:
    """One walk through the entries of an export, from the first on."""

    def __init__(self, key: Key, expected: dict[int, set[bytes]]) -> None:
        """Expect these roots at these sizes."""
        self.key = key
        self.expected = expected
        self.number = 0
        self.peaks: list[tuple[int, bytes]] = []
        self.previous = ""
        self.fitting = 0
        # Checking a signature is slow, so it is done for every so many entries; these came since the last good one.
        self.waiting: list[tuple[bytes, bytes]] = []
        self.good: tuple[int, list[tuple[int, bytes]]] = (0, [])

    def run(self, lines: Iterator[bytes]) -> dict[str, object]:
        """Read every entry; the last line, which is none."""
        for line in lines:
            entry = parse(line)
            if entry is not None and set(entry) == {"checkpoint", "entries"}:
                self.settle()
                return entry
            self.read(entry)
        raise self.refuse(f"entry {self.number + 1} and what comes after it is missing: the last line is not there")

    def read(self, entry: dict[str, object] | None) -> None:
        """Check the next entry, or refuse."""
        wanted = self.number + 1
        if entry is None or set(entry) != COLUMNS | {"signature"}:
            raise self.refuse(f"entry {wanted} was changed: it is no entry")
        if type(entry["number"]) is not int or entry["number"] != wanted:
            raise self.refuse(f"entry {wanted} is missing or was changed: {entry['number']!r} stands in its place")
        signature = str(entry.pop("signature"))
        leaf = leaf_hash(canonical({**entry, "previous": self.previous}))
        self.number, self.peaks, self.previous = wanted, grow(self.peaks, leaf), signature
        self.waiting.append((leaf, unbase64(signature)))
        if len(self.waiting) == STRIDE:
            self.settle()
        if wanted in self.expected:
            if self.expected[wanted] != {root_of(self.peaks)}:
                raise self.refuse(
                    f"entry {self.fitting + 1}, or a later one up to {wanted}, is not that of the checkpoint"
                )
            self.fitting = wanted

    def settle(self) -> None:
        """Check the newest signature, which covers all before it."""
        if self.waiting and not self.key.signed(self.number, root_of(self.peaks), self.waiting[-1][1]):
            raise self.refuse(f"entry {self.number} was changed")
        self.good, self.waiting = (self.number, self.peaks), []

    def refuse(self, otherwise: str) -> Refused:
        """The first entry whose signature does not fit; when all fit, what was found otherwise."""
        at, tree = self.good
        for leaf, signature in self.waiting:
            at, tree = at + 1, grow(tree, leaf)
            if not self.key.signed(at, root_of(tree), signature):
                return Refused(f"entry {at} was changed")
        return Refused(otherwise)


def check_export(lines: Iterator[bytes], key: Key, kept: list[str]) -> str:
    """Check a whole journal."""
    expected: dict[int, set[bytes]] = {}
    for note in kept:
        size, root = key.read(note)
        expected.setdefault(size, set()).add(root)
    walk = Walk(key, expected)
    tail = walk.run(lines)
    number, root = walk.number, root_of(walk.peaks)
    size, signed_root = key.read(str(tail["checkpoint"]))
    if max([size, *expected]) > number:
        raise Refused(f"entry {number + 1} and what comes after it is missing")
    if (size, signed_root) != (number, root) or tail["entries"] != number:
        raise Refused(f"entry {size + 1} stands after the end that was signed")
    if next(lines, None) is not None:
        raise Refused("there is something after the last line")
    return f"{number} entries, all as they were written" + (f"; {len(kept)} kept checkpoints fit." if kept else ".")


def check_extract(document: dict[str, object], key: Key) -> str:
    """Check single entries by their proofs."""
    size, root = key.read(str(document.get("checkpoint")))
    entries = document.get("entries")
    if not isinstance(entries, list):
        raise Refused("the extract holds no entries")
    for entry in entries:
        fields, proof = entry["fields"], [unbase64(step) for step in entry["proof"]]
        place, last, reached = int(fields["number"]) - 1, size - 1, leaf_hash(canonical(fields))
        if set(fields) != COLUMNS | {"previous"} or not 0 <= place <= last:
            raise Refused(f"entry {fields['number']} cannot stand in this journal")
        for step in proof:  # RFC 9162, 2.1.3.2
            if last == 0:
                raise Refused(f"the proof of entry {fields['number']} is too long")
            if place & 1 or place == last:
                reached = node_hash(step, reached)
                while not place & 1 and place:
                    place, last = place >> 1, last >> 1
            else:
                reached = node_hash(reached, step)
            place, last = place >> 1, last >> 1
        if last or reached != root:
            raise Refused(f"entry {fields['number']} was changed, or does not stand in this journal")
    return f"{len(entries)} entries, each proven to stand in a journal of {size}."


def check(export: Path, key_line: str | None, kept: list[str]) -> str:
    """Check the file; what to say when all is well. Raises Refused."""
    with export.open("rb") as file:
        lines = (line.removesuffix(b"\n") for line in file)
        first = next(lines, b"")
        header = parse(first) or {}
        key = Key(key_line if key_line is not None else str(header.get("key")))
        if key_line is not None and str(header.get("key")).strip() != key_line.strip():
            raise Refused("the export names another key than the one you trust")
        if header.get("format") == EXTRACT_FORMAT:
            try:
                return check_extract(header, key)
            except (KeyError, TypeError, ValueError):
                raise Refused("the extract cannot be read") from None
        if header.get("format") != FORMAT or set(header) != {"format", "key"}:
            raise Refused("this is no export of a journal")
        return check_export(lines, key, kept)


def main() -> int:
    """Read the arguments, say the verdict."""
    parser = argparse.ArgumentParser(description="Checks an exported Leadgate journal.")
    parser.add_argument("export", type=Path)
    parser.add_argument(
        "--key", type=Path, help="the public key that you trust; without it only the inner order is checked"
    )
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="one that you kept; may be repeated"
    )
    options = parser.parse_args()
    try:
        key_line = None if options.key is None else options.key.read_text("ascii")
        kept = [path.read_text("utf-8") for path in options.checkpoint]
        print(check(options.export, key_line, kept))  # noqa: T201 - how it answers
    except Refused as refused:
        print(f"Refused: {refused}.", file=sys.stderr)  # noqa: T201 - as above
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"Cannot be read: {error}", file=sys.stderr)  # noqa: T201 - as above
        return 2
    if key_line is None:
        print("The key came from the export itself, so this proves its inner order alone: give --key.")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Merkle trees as in RFC 9162, section 2.1: hashes, a root that grows with each leaf, inclusion and consistency proofs.

A whole subtree has a level (0: a leaf) and an index among those of its level; its hash never changes again. It is known as
soon as its last leaf is, so it is kept with that leaf: see `completed_by`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

GetNode = Callable[[int, int], bytes]
"""Gives the hash of the whole subtree at (level, index)."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbouring subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def completed_by(level: int, index: int) -> int:
    """How many leaves there are when this subtree becomes whole: the number of the entry that its hash is kept with."""
    return (index + 1) << level


@dataclass(slots=True)
class Frontier:
    """The roots of the whole subtrees that a tree of this size is made of, largest first: all that growing needs."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    @classmethod
    def load(cls, size: int, get: GetNode) -> Frontier:
        """The frontier of a tree whose whole subtrees are kept."""
        levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
        return cls(size, [get(level, (size >> level) - 1) for level in levels])

    def copy(self) -> Frontier:
        """One that grows by itself."""
        return Frontier(self.size, [*self.peaks])

    def append(self, new_leaf_hash: bytes) -> list[bytes]:
        """Add a leaf; the hashes of the subtrees that it makes whole, the leaf itself first."""
        completed = [new_leaf_hash]
        rest = self.size
        while rest & 1:
            completed.append(node_hash(self.peaks.pop(), completed[-1]))
            rest >>= 1
        self.peaks.append(completed[-1])
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def prove_inclusion(index: int, size: int, get: GetNode) -> list[bytes]:
    """The audit path of the leaf at `index` (from 0) in a tree of `size` (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    path = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(_root_between(middle, end, get))
            end = middle
        else:
            path.append(_root_between(first, middle, get))
            first = middle
    return path[::-1]


def prove_consistency(old: int, size: int, get: GetNode) -> list[bytes]:
    """That a tree of `size` begins with the `old` leaves of an earlier one (RFC 9162, 2.1.4.1).

    Empty when there is nothing to prove.

    Raises:
        ValueError: the earlier tree is larger.
    """
    if not 0 <= old <= size:
        raise ValueError("the earlier tree is larger")
    if old in {0, size}:
        return []
    path = []
    first, end, is_whole = 0, size, True
    while old != end:
        middle = first + _split(end - first)
        if old <= middle:
            path.append(_root_between(middle, end, get))
            end = middle
        else:
            path.append(_root_between(first, middle, get))
            first, is_whole = middle, False
    if not is_whole:
        path.append(_root_between(first, end, get))
    return path[::-1]


def fits_inclusion(index: int, size: int, *, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """True when the path leads from this leaf hash to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def fits_consistency(old: int, size: int, *, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """True when the path shows that the tree of `root` begins with that of `old_root` (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not path and old_root == root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    if not 0 < old < size:
        return False
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    reached_old = reached = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached_old, reached = node_hash(step, reached_old), node_hash(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached_old == old_root and reached == root


def _split(count: int) -> int:
    """The largest power of two below."""
    return 1 << ((count - 1).bit_length() - 1)


def _root_between(first: int, end: int, get: GetNode) -> bytes:
    """The root over leaves [first, end), `first` where a subtree of that size may begin."""
    count = end - first
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return get(level, first >> level)
    middle = first + _split(count)
    return node_hash(_root_between(first, middle, get), _root_between(middle, end, get))

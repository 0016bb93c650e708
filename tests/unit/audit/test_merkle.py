"""The tree is that of RFC 9162, proofs hold for what is in it and for nothing else; a naive second implementation agrees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    completed_by,
    fits_consistency,
    fits_inclusion,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
)

# The leaves and roots that implementations of Certificate Transparency have been tested with since RFC 6962.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """A tree whose whole subtrees are kept as the journal keeps them: with the leaf that completes them."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.frontier = Frontier()
        self.kept = [self.frontier.append(leaf_hash(leaf)) for leaf in leaves]

    def node(self, level: int, index: int) -> bytes:
        return self.kept[completed_by(level, index) - 1][level]


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The definition of RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if index < half:
        return [*naive_path(index, leaves[:half]), naive_root(leaves[half:])]
    return [*naive_path(index - half, leaves[half:]), naive_root(leaves[:half])]


def naive_subproof(old: int, leaves: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
    """The definition of RFC 9162, 2.1.4.1."""
    if old == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if old <= half:
        return [*naive_subproof(old, leaves[:half], is_whole=is_whole), naive_root(leaves[half:])]
    return [*naive_subproof(old - half, leaves[half:], is_whole=False), naive_root(leaves[:half])]


def leaves_of(count: int) -> list[bytes]:
    """Leaves that differ."""
    return [b"leaf %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    """Whoever checks with a library of their own finds the same root."""
    tree = Tree([bytes.fromhex(leaf) for leaf in LEAVES[:size]])
    assert tree.frontier.root().hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_that_of_the_rfc() -> None:
    """The first checkpoint is of no entries."""
    assert Frontier().root() == EMPTY_ROOT == naive_root([])


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_growing_root_is_the_root_by_definition(leaves: list[bytes]) -> None:
    """After each leaf, and also when the frontier is read back from the kept hashes."""
    tree = Tree(leaves)
    assert tree.frontier.root() == naive_root(leaves)
    assert Frontier.load(len(leaves), tree.node) == tree.frontier


@given(st.data())
def test_an_inclusion_proof_is_the_one_by_definition_and_holds_for_its_leaf_alone(data: st.DataObject) -> None:
    """A proof that fits another leaf, place, size or root would prove nothing."""
    leaves = leaves_of(data.draw(st.integers(1, 70)))
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree, size = Tree(leaves), len(leaves)
    path, root, leaf = prove_inclusion(index, size, tree.node), tree.frontier.root(), leaf_hash(leaves[index])
    assert path == naive_path(index, leaves)
    assert fits_inclusion(index, size, leaf=leaf, path=path, root=root)
    other = data.draw(st.integers(0, len(leaves) + 1))
    assert other == index or not fits_inclusion(other, size, leaf=leaf, path=path, root=root)
    assert not fits_inclusion(index, size, leaf=leaf_hash(b"another"), path=path, root=root)
    assert not fits_inclusion(index, size, leaf=leaf, path=[*path, leaf], root=root)
    assert not path or not fits_inclusion(index, size, leaf=leaf, path=path[:-1], root=root)
    assert not fits_inclusion(index, size, leaf=leaf, path=path, root=leaf_hash(b"root"))


@given(st.data())
def test_a_consistency_proof_is_the_one_by_definition_and_holds_for_its_trees_alone(data: st.DataObject) -> None:
    """An older checkpoint fits when and only when the journal begins with its entries."""
    leaves = leaves_of(data.draw(st.integers(0, 70)))
    old = data.draw(st.integers(0, len(leaves)))
    tree, size = Tree(leaves), len(leaves)
    path, root, old_root = prove_consistency(old, size, tree.node), tree.frontier.root(), naive_root(leaves[:old])
    assert path == (naive_subproof(old, leaves, is_whole=True) if 0 < old < size else [])
    assert fits_consistency(old, size, old_root=old_root, root=root, path=path)
    assert not fits_consistency(old, size, old_root=leaf_hash(b"x"), root=root, path=path)
    assert old == 0 or not fits_consistency(old, size, old_root=old_root, root=leaf_hash(b"x"), path=path)
    assert not fits_consistency(old, size, old_root=old_root, root=root, path=[*path, root])
    assert not path or not fits_consistency(old, size, old_root=old_root, root=root, path=path[:-1])


def test_what_is_not_in_the_tree_cannot_be_proven() -> None:
    """A wrong number is a mistake of the caller, not an empty proof."""
    tree = Tree(leaves_of(5))
    for index in (-1, 5):
        with pytest.raises(ValueError, match="leaf"):
            prove_inclusion(index, 5, tree.node)
    for old in (-1, 6):
        with pytest.raises(ValueError, match="larger"):
            prove_consistency(old, 5, tree.node)
    assert not fits_consistency(6, 5, old_root=EMPTY_ROOT, root=EMPTY_ROOT, path=[])

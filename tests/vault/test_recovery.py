"""The paper opens the key of today and of every rotation, and what former versions wrote stays readable byte for byte."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from leadgate.errors import UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.ports.custodian import Wrapped
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import KEY_FILE, create_key_file, new_recovery_key, open_with_recovery_key

PAPER = new_recovery_key(bytes(range(30)))
OTHER_PAPER = new_recovery_key(bytes(range(1, 31)))

# Written by version 0.1, before keys had generations.
OLD_FILE = (
    b"leadgate-kek-1\nCPrQrpAEEmQKWAowdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUuY3J5cHRvLnRpbmsuQWVzR2NtS2V5EiIaII9PryCB7H3kdubq4i"
    b"f0N4EKPpU7U4lX+RT2eO9TBdqeGAEQARj60K6QBCAB\n"
)
OLD_ID = "file:f5e5ee1c525c9276"
OLD_COPY = base64.b64decode(
    "q3amv7lqsf31dzcw+jDUK3cVLBXlY1uhMjpu6qh2p95PBNmfgmZeSlapCbdH08HdM3mDr8g0jvLy1wplHIKDKosC4psfAcpHRo1EqQj9FoCDtwBB6UKoIKSR"
    "FAjXB1oeA0vuJuXUW9S1KX9tIneNWPWN/HRE8TbKoFGYvdNV3M+ylxuOvTdL6g=="
)
OLD_WRAPPED = Wrapped(base64.b64decode("AUILqHoOMpAN5X+Gk+cv8paeH4TBqW5eSlUA0BFnCEI0GB7mEj4uLKM="), OLD_ID)


@pytest.fixture
def old(tmp_path: Path) -> FileCustodian:
    """The key file of a former version."""
    path = tmp_path / KEY_FILE
    path.touch(mode=0o600)
    path.write_bytes(OLD_FILE)
    return FileCustodian(tmp_path)


def test_a_key_file_of_a_former_version_opens_what_it_wrapped(old: FileCustodian, tmp_path: Path) -> None:
    """Under the same name, and nobody rewrote the file."""
    assert old.key_id() == OLD_ID
    assert old.unwrap(OLD_WRAPPED, b"context") == b"data key"
    assert (tmp_path / KEY_FILE).read_bytes() == OLD_FILE
    old.use(old.rotate())
    assert FileCustodian(tmp_path).unwrap(OLD_WRAPPED, b"context") == b"data key"


def test_the_paper_of_a_former_version_opens_its_copy() -> None:
    """A backup of last year."""
    assert open_with_recovery_key(OLD_COPY, PAPER).unwrap(OLD_WRAPPED, b"context") == b"data key"


def test_a_copy_of_a_former_version_needs_the_paper_once(old: FileCustodian) -> None:
    """It has no public half to seal for; from then on the paper stays in its drawer."""
    made = old.rotate()
    assert old.recovery_copy(OLD_COPY, None, key_id=made) is None
    with pytest.raises(UnknownKeyError):
        old.recovery_copy(OLD_COPY, Secret(OTHER_PAPER), key_id=made)
    copy = old.recovery_copy(OLD_COPY, Secret(PAPER), key_id=made)
    assert copy is not None
    assert open_with_recovery_key(copy, PAPER).key_ids() == {OLD_ID, made}
    again = old.recovery_copy(copy, None, key_id=made)
    assert again is not None
    assert open_with_recovery_key(again, PAPER).key_ids() == {OLD_ID, made}


def test_one_paper_outlives_every_rotation(tmp_path: Path) -> None:
    """Ten rotations, each former generation destroyed, and the paper was never typed."""
    copy = create_key_file(tmp_path).seal_for_recovery(PAPER)
    custodian = FileCustodian(tmp_path)
    for _ in range(10):
        before, made = custodian.key_id(), custodian.rotate()
        again = custodian.recovery_copy(copy, None, key_id=made)
        assert again is not None
        copy = again
        custodian.use(made)
        custodian.drop(frozenset({before}))
    wrapped = custodian.wrap(b"data key", b"context")
    assert open_with_recovery_key(copy, PAPER).unwrap(wrapped, b"context") == b"data key"
    with pytest.raises(UnknownKeyError):
        open_with_recovery_key(copy, OTHER_PAPER)


def test_who_may_only_write_the_database_is_never_sent_the_next_key(tmp_path: Path) -> None:
    """A copy made with a paper and a key of their own is refused: its half was not wrapped by our key."""
    create_key_file(tmp_path)
    (tmp_path / "thief").mkdir()
    forged = create_key_file(tmp_path / "thief").seal_for_recovery(OTHER_PAPER)
    custodian = FileCustodian(tmp_path)
    for copy in (forged, forged.replace(b'"pair_key_id":"file:', b'"pair_key_id":"elif:')):
        with pytest.raises(UnknownKeyError):
            custodian.recovery_copy(copy, None, key_id=custodian.rotate())

import os
import stat
from pathlib import Path

import pytest

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.vault.key_file import (
    KEY_FILE,
    create_key_file,
    new_recovery_key,
    open_key_file,
    open_with_recovery_key,
)

RECOVERY = new_recovery_key(bytes(range(30)))


def test_a_key_file_is_for_its_owner_only_and_opens_again(tmp_path: Path) -> None:
    """Whoever can read it can read every client, whatever the umask of the process was."""
    umask = os.umask(0)
    made = create_key_file(tmp_path)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    opened = open_key_file(tmp_path)
    assert opened.unwrap(made.wrap(b"key", b"here"), b"here") == b"key"
    assert opened.key_id() == made.key_id()
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE], "no temporary file stays"


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """The old key is the only way to the data that is there."""
    create_key_file(tmp_path)
    before = (tmp_path / KEY_FILE).read_bytes()
    with pytest.raises(ConfigurationError, match="already"):
        create_key_file(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_crash_while_writing_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name appears only when every byte is on disk; what a killed process left behind is in nobody's way."""

    def pull_the_plug(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        create_key_file(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()
    monkeypatch.undo()
    (tmp_path / f".{KEY_FILE}.{os.getpid()}").write_bytes(b"left over by a killed process with our number")
    create_key_file(tmp_path)
    open_key_file(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that cures it."""
    create_key_file(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        open_key_file(tmp_path)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN-----", b"leadgate-kek-1\n", b"leadgate-kek-1\nAAAA", b"\xff" * 99]
)
def test_what_is_no_key_file_is_said_so(tmp_path: Path, content: bytes) -> None:
    """Damaged or foreign: a sentence, not a stack of calls."""
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(ConfigurationError):
        open_key_file(tmp_path)


def test_a_damaged_key_file_is_said_so(tmp_path: Path) -> None:
    """A letter lost in a copy."""
    create_key_file(tmp_path)
    path = tmp_path / KEY_FILE
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ConfigurationError, match="damaged"):
        open_key_file(tmp_path)


def test_a_missing_key_file_is_said_so(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match="missing") as caught:
        open_key_file(tmp_path)
    assert "recovery key" in caught.value.hint


def test_the_paper_key_brings_the_key_back(tmp_path: Path) -> None:
    """As a person types it: small letters, spaces, line breaks."""
    made = create_key_file(tmp_path)
    sealed = made.seal_for_recovery(RECOVERY)
    typed = RECOVERY.lower().replace("-", " ", 5).replace("-", "\n")
    assert open_with_recovery_key(sealed, typed).key_id() == made.key_id()


def test_a_mistyped_paper_key_is_refused(tmp_path: Path) -> None:
    """And the answer is a cure, not a stack of calls."""
    sealed = create_key_file(tmp_path).seal_for_recovery(RECOVERY)
    for wrong in (RECOVERY[:-1] + ("A" if RECOVERY[-1] != "A" else "B"), "", RECOVERY[:-5]):
        with pytest.raises(UnknownKeyError) as caught:
            open_with_recovery_key(sealed, wrong)
        assert caught.value.hint
    for damaged in (b"", sealed[:10], sealed[:-1]):
        with pytest.raises(UnknownKeyError):
            open_with_recovery_key(damaged, RECOVERY)


def test_a_paper_key_is_twelve_groups_of_four() -> None:
    """All of the randomness is in it."""
    groups = RECOVERY.split("-")
    assert [len(group) for group in groups] == [4] * 12
    assert new_recovery_key(bytes(30)) != RECOVERY
    with pytest.raises(ValueError, match="30 bytes"):
        new_recovery_key(bytes(16))

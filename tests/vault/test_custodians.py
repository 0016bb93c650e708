"""Every custodian against the one suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.testing.custodian_suite import DATA_KEY, HERE, CustodianSuite
from leadgate.vault.file_custodian import FileCustodian
from leadgate.vault.key_file import KEY_FILE, create_key_file

PASSPHRASE = "пять слов и один лимон"


class TestKeyFile(CustodianSuite):
    """The key file in clear."""

    @pytest.fixture
    def passphrase_file(self) -> Path | None:
        """None: in clear."""
        return None

    @pytest.fixture
    def custodian(self, tmp_path: Path, passphrase_file: Path | None) -> FileCustodian:
        """In a folder of its own."""
        create_key_file(tmp_path, passphrase_file)
        return FileCustodian(tmp_path, passphrase_file)

    @pytest.fixture
    def second(self, custodian: FileCustodian, tmp_path: Path, passphrase_file: Path | None) -> FileCustodian:
        """Another process."""
        return FileCustodian(tmp_path, passphrase_file)

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> FileCustodian:
        """Another data directory."""
        (tmp_path / "other").mkdir()
        create_key_file(tmp_path / "other")
        return FileCustodian(tmp_path / "other")

    def test_a_dropped_generation_opens_nothing_any_more(self, custodian: FileCustodian, tmp_path: Path) -> None:
        """That is what a rotation is for: who found the old key has no use for it."""
        old = custodian.wrap(DATA_KEY, HERE)
        custodian.use(custodian.rotate())
        custodian.drop(frozenset({old.key_id}))
        for process in (custodian, FileCustodian(tmp_path, custodian._passphrase_file)):  # noqa: SLF001 - as it was opened
            with pytest.raises(UnknownKeyError):
                process.unwrap(old, HERE)


class TestKeyFileUnderPassphrase(TestKeyFile):
    """The key file sealed under a passphrase, from a file or from a credential of systemd: both are one file."""

    @pytest.fixture
    def passphrase_file(self, tmp_path: Path) -> Path:
        """As systemd lays it out."""
        path = tmp_path / "credentials" / "leadgate-key-passphrase"
        path.parent.mkdir()
        path.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
        return path

    def test_the_data_directory_alone_opens_nothing(self, custodian: FileCustodian, tmp_path: Path) -> None:
        """Neither without a passphrase nor with another one, and each answer says what to do."""
        assert custodian.is_locked
        with pytest.raises(ConfigurationError) as caught:
            FileCustodian(tmp_path)
        assert "LEADGATE_KEY_PASSPHRASE_FILE" in caught.value.hint
        (tmp_path / "wrong").write_text("другие пять слов", encoding="utf-8")
        with pytest.raises(UnknownKeyError) as refused:
            FileCustodian(tmp_path, tmp_path / "wrong")
        assert refused.value.code == "keys.wrong_passphrase"

    def test_a_rotation_keeps_the_lock(self, custodian: FileCustodian, tmp_path: Path) -> None:
        """The new generation would else lie open beside the old one that was sealed."""
        custodian.rotate()
        assert (tmp_path / KEY_FILE).read_bytes().startswith(b"leadgate-kek-sealed-1\n")


def test_a_key_file_is_sealed_and_opened_while_it_is_in_use(tmp_path: Path) -> None:
    """What was wrapped before opens after either; another process learns of the passphrase when it has to read again."""
    create_key_file(tmp_path)
    custodian, running = FileCustodian(tmp_path), FileCustodian(tmp_path, tmp_path / "passphrase")
    wrapped = custodian.wrap(DATA_KEY, HERE)
    (tmp_path / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
    custodian.protect(Secret(PASSPHRASE))
    assert FileCustodian(tmp_path, tmp_path / "passphrase").unwrap(wrapped, HERE) == DATA_KEY
    assert running.unwrap(wrapped, HERE) == DATA_KEY
    FileCustodian(tmp_path, tmp_path / "passphrase").protect(None)
    assert FileCustodian(tmp_path).unwrap(wrapped, HERE) == DATA_KEY


def test_a_passphrase_that_a_dictionary_finds_is_refused(tmp_path: Path) -> None:
    """Shorter than twelve characters; the file stays as it was."""
    create_key_file(tmp_path)
    before = (tmp_path / KEY_FILE).read_bytes()
    with pytest.raises(ConfigurationError, match="12 characters"):
        FileCustodian(tmp_path).protect(Secret("лимон"))
    assert (tmp_path / KEY_FILE).read_bytes() == before


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b'{"salt":"AAAA"}', b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","memory":99999999}', b'{"salt":1}'],
)
def test_a_damaged_lock_is_said_so_and_fills_no_memory(tmp_path: Path, header: bytes) -> None:
    """Whatever somebody wrote there, the cost of a try has a bound."""
    create_key_file(tmp_path)
    (tmp_path / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
    (tmp_path / KEY_FILE).write_bytes(b"leadgate-kek-sealed-1\n" + header + b"\nAAAA\n")
    with pytest.raises((ConfigurationError, UnknownKeyError)):
        FileCustodian(tmp_path, tmp_path / "passphrase")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_passphrase_file_without_a_passphrase_is_said_so(tmp_path: Path, content: bytes) -> None:
    """Rather than opening a file with an empty one."""
    (tmp_path / "passphrase").write_bytes(content)
    with pytest.raises(ConfigurationError, match="empty"):
        create_key_file(tmp_path, tmp_path / "passphrase")

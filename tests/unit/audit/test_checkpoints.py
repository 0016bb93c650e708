"""Checkpoints are signed notes as others write and read them; a forged one is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest

from leadgate.audit.checkpoints import SigningKey, VerifyingKey, read_checkpoint, write_checkpoint
from leadgate.audit.merkle import EMPTY_ROOT
from leadgate.errors import JournalTamperedError

# From the documentation of Go's package golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
KEY = SigningKey("leadgate-journal/0011223344556677", bytes(range(32)))
ROOT = hashlib.sha256(b"root").digest()
NOTE = write_checkpoint(KEY.public, 7, ROOT, KEY.sign(7, ROOT))


def test_a_note_that_go_signed_is_read() -> None:
    """The format is that of the world, not one of our own."""
    key, raw = VerifyingKey.parse(GO_KEY), base64.b64decode(GO_SIGNATURE)
    assert str(key) == GO_KEY
    assert raw[:4] == key.key_id
    assert key.has_signed_text(GO_TEXT, raw[4:])
    assert not key.has_signed_text(GO_TEXT + " ", raw[4:])


def test_a_checkpoint_says_origin_size_and_root() -> None:
    """C2SP tlog-checkpoint: three lines, a blank one, the signature."""
    lines = NOTE.split("\n")
    assert lines[:4] == [KEY.public.name, "7", base64.b64encode(ROOT).decode(), ""]
    assert lines[4].startswith(f"— {KEY.public.name} ")
    checkpoint = read_checkpoint(NOTE, KEY.public)
    assert (checkpoint.size, checkpoint.root) == (7, ROOT)


def test_a_checkpoint_that_went_through_mail_is_still_one() -> None:
    """Line ends of Windows, and the signature of a witness beside ours, change nothing."""
    witnessed = NOTE + "— witness.example/w1 " + base64.b64encode(bytes(76)).decode() + "\n"
    assert read_checkpoint(witnessed.replace("\n", "\r\n"), KEY.public).size == 7
    letter = f"Subject: checkpoint\n\nKeep this message.\n\n{NOTE}\nLeadgate, Салон «Лимон»\n"
    assert read_checkpoint(letter, KEY.public).size == 7


@pytest.mark.parametrize(
    "forged",
    [
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(EMPTY_ROOT).decode()),
        NOTE[: NOTE.index("—")],
        write_checkpoint(KEY.public, 7, ROOT, bytes(64)),
        write_checkpoint(KEY.public, 8, ROOT, KEY.sign(7, ROOT)),
    ],
    ids=["size", "root", "no-signature", "signature", "signature-of-another"],
)
def test_a_forged_checkpoint_is_refused(forged: str) -> None:
    """Otherwise whoever changed the journal would bring a checkpoint that fits."""
    with pytest.raises(JournalTamperedError) as refused:
        read_checkpoint(forged, KEY.public)
    assert refused.value.code == "journal.checkpoint_forged"


def test_a_checkpoint_of_another_journal_is_refused() -> None:
    """Also one of the same name: a replaced key is no way around."""
    other = SigningKey(KEY.public.name, bytes(32))
    note = write_checkpoint(other.public, 7, ROOT, other.sign(7, ROOT))
    with pytest.raises(JournalTamperedError) as refused:
        read_checkpoint(note, KEY.public)
    assert refused.value.code == "journal.checkpoint_forged"


@pytest.mark.parametrize(
    "text", ["", "hello", "a\nb\nc\n\n— a b\n", "x" * 20000, NOTE.replace("\n7\n", "\n07\n"), "\x00\n\n\n\n"]
)
def test_what_is_no_checkpoint_is_named_so(text: str) -> None:
    """The wrong file is a slip, not a forgery; it fits nothing all the same."""
    with pytest.raises(JournalTamperedError) as refused:
        read_checkpoint(text, KEY.public)
    assert refused.value.code == "journal.checkpoint_unreadable"


def test_keys_are_written_and_read_back() -> None:
    """The file of the key is all there is; a damaged one is no other key."""
    assert str(SigningKey.parse(KEY.reveal()).public) == str(KEY.public) == str(VerifyingKey.parse(str(KEY.public)))
    line = KEY.reveal()
    for wrong in (
        "",
        "x",
        str(KEY.public),
        line[:-4],
        line.replace("+AQ", "+BQ"),
        line.replace("leadgate", "elsegate"),
    ):
        with pytest.raises(ValueError, match=r"key|padding|base64|multiple"):
            SigningKey.parse(wrong)
    assert KEY.sign(1, ROOT) == KEY.sign(1, ROOT)

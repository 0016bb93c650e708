from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.errors import TamperedError, UnknownKeyError
from leadgate.ports.stores import Transaction
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import FixedClock
from leadgate.testing.databases import open_storage, sqlite_url
from leadgate.vault.ciphers import Cipher, Indexer, new_cipher_keyset, new_index_keyset
from leadgate.vault.envelope import INDEX, INTAKE, Vault, subject_scope
from leadgate.vault.key_file import FileKeyWrapper

ALSU, LEILA = subject_scope("subj_alsu"), subject_scope("subj_leila")
KEYSET = new_cipher_keyset()
CIPHER, OTHER_CIPHER, INDEXER = Cipher(KEYSET), Cipher(new_cipher_keyset()), Indexer(new_index_keyset())


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SqlStorage]:
    """An empty workspace."""
    opened = open_storage(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
async def vault(storage: SqlStorage) -> Vault:
    """A vault with the keys of two people."""
    made = Vault(FileKeyWrapper(KEYSET), FixedClock())

    def unit(tx: Transaction) -> None:
        for scope in (INTAKE, INDEX, ALSU, LEILA):
            made.create_scope(tx, scope)

    await storage.write(unit)
    await storage.read(made.load)
    return made


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_opens_unchanged(plain: bytes, context: bytes) -> None:
    """The inverse, for any bytes."""
    assert CIPHER.open(CIPHER.seal(plain, context), context) == plain


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_changed_byte_does_not_open(plain: bytes, data: st.DataObject) -> None:
    """Wherever it is."""
    sealed = bytearray(CIPHER.seal(plain, b"here"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TamperedError):
        CIPHER.open(bytes(sealed), b"here")


def test_another_key_or_context_does_not_open() -> None:
    """A ciphertext is worth nothing away from its place."""
    sealed = CIPHER.seal(b"words", b"here")
    with pytest.raises(TamperedError):
        CIPHER.open(sealed, b"there")
    with pytest.raises(TamperedError):
        OTHER_CIPHER.open(sealed, b"here")
    assert CIPHER.seal(b"words", b"here") != sealed, "the same words never look the same"


@pytest.mark.parametrize("rubbish", [b"", b"no keyset", b"\x08\x96\x01", KEYSET[:-1]])
def test_rubbish_is_no_keyset(rubbish: bytes) -> None:
    """A damaged key is named as such, with nothing of it in the error."""
    with pytest.raises(TamperedError) as caught:
        Cipher(rubbish)
    assert caught.value.__cause__ is None


def test_a_blind_index_is_equal_for_equal_values_only() -> None:
    """Short enough to store no phone, long enough never to collide."""
    assert INDEXER.index(b"+79000000101") == INDEXER.index(b"+79000000101")
    assert INDEXER.index(b"+79000000101") != INDEXER.index(b"+79000000102")
    assert len(INDEXER.index(b"")) == 16
    assert Indexer(new_index_keyset()).index(b"+79000000101") != INDEXER.index(b"+79000000101")


async def test_a_ciphertext_opens_at_its_own_place_and_for_its_own_person_only(
    storage: SqlStorage, vault: Vault
) -> None:
    """A row copied over another one by whoever has the database must not show one client's words to another."""
    sealed = await storage.read(lambda tx: vault.seal(tx, ALSU, "messages.body:1", b"words"))
    assert await storage.read(lambda tx: vault.open(tx, ALSU, "messages.body:1", sealed)) == b"words"
    for scope, place in ((ALSU, "messages.body:2"), (LEILA, "messages.body:1"), (INTAKE, "messages.body:1")):
        with pytest.raises(TamperedError):
            await storage.read(lambda tx, s=scope, p=place: vault.open(tx, s, p, sealed))  # type: ignore[misc]  # defaults bind now


async def test_another_workspace_has_other_keys(tmp_path: Path, storage: SqlStorage, vault: Vault) -> None:
    """Two salons in one database cannot read one another, even under equal ids."""
    sealed = await storage.read(lambda tx: vault.seal(tx, ALSU, "p", b"words"))
    other = open_storage(sqlite_url(tmp_path), "other")
    with pytest.raises(UnknownKeyError):
        await other.read(lambda tx: vault.open(tx, ALSU, "p", sealed))
    await other.write(lambda tx: vault.create_scope(tx, ALSU))
    with pytest.raises(TamperedError):
        await other.read(lambda tx: vault.open(tx, ALSU, "p", sealed))
    other.close()


async def test_a_new_process_opens_what_the_last_one_sealed(storage: SqlStorage, vault: Vault) -> None:
    """Nothing depends on what is in memory."""
    sealed = await storage.read(lambda tx: vault.seal(tx, ALSU, "p", b"words"))
    index = vault.index("ws", "phone", "+79000000101")
    fresh = Vault(FileKeyWrapper(KEYSET), FixedClock())
    await storage.read(fresh.load)
    assert await storage.read(lambda tx: fresh.open(tx, ALSU, "p", sealed)) == b"words"
    assert fresh.index("ws", "phone", "+79000000101") == index
    assert fresh.index("ws", "email", "+79000000101") != index, "kinds are kept apart"
    arrival = fresh.seal_arrival("ws", "events.body:1", b"raw")
    assert await storage.read(lambda tx: vault.open(tx, INTAKE, "events.body:1", arrival)) == b"raw"


async def test_a_scope_that_was_rolled_back_leaves_no_key(storage: SqlStorage, vault: Vault) -> None:
    """Whatever would be sealed under a key that is on no disk could never be read again."""
    scope = subject_scope("subj_new")

    def fails(tx: Transaction) -> None:
        vault.create_scope(tx, scope)
        assert vault.open(tx, scope, "p", vault.seal(tx, scope, "p", b"words")) == b"words"
        raise LookupError("rolled back")

    with pytest.raises(LookupError):
        await storage.write(fails)
    with pytest.raises(UnknownKeyError):
        await storage.write(lambda tx: vault.seal(tx, scope, "p", b"words"))

    def works(tx: Transaction) -> bytes:
        vault.create_scope(tx, scope)
        return vault.seal(tx, scope, "p", b"words")

    sealed = await storage.write(works)
    fresh = Vault(FileKeyWrapper(KEYSET), FixedClock())
    assert await storage.read(lambda tx: fresh.open(tx, scope, "p", sealed)) == b"words"


async def test_the_wrong_key_file_is_named_with_a_cure(storage: SqlStorage, vault: Vault) -> None:
    """Whoever restored the database without its key must learn that at the start, not at the first lead."""
    wrong = Vault(FileKeyWrapper(new_cipher_keyset()), FixedClock())
    with pytest.raises(UnknownKeyError) as caught:
        await storage.read(wrong.load)
    assert "key file" in str(caught.value)
    assert caught.value.hint


async def test_a_forgotten_key_is_read_again(storage: SqlStorage, vault: Vault) -> None:
    """Forgetting clears memory; only destroying the stored key destroys the data."""
    sealed = await storage.read(lambda tx: vault.seal(tx, ALSU, "p", b"words"))
    vault.forget("ws", ALSU)
    assert await storage.read(lambda tx: vault.open(tx, ALSU, "p", sealed)) == b"words"


async def test_many_people_do_not_push_out_the_house_keys(
    storage: SqlStorage, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hot path seals without a transaction: its key must stay in memory."""
    monkeypatch.setattr("leadgate.vault.envelope._CACHE_SIZE", 3)

    def unit(tx: Transaction) -> list[str]:
        scopes = [subject_scope(f"subj_{number}") for number in range(10)]
        for scope in scopes:
            vault.create_scope(tx, scope)
        return scopes

    for scope in await storage.write(unit):
        await storage.read(lambda tx, s=scope: vault.seal(tx, s, "p", b"words"))  # type: ignore[misc]  # a default binds s now
    assert vault.seal_arrival("ws", "events.body:1", b"raw")
    assert len(vault._ciphers) <= 3  # noqa: SLF001 - memory is what this is about

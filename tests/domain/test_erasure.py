from notify_server.domain.erasure import Erasure, pseudonym
from tests.builders import NOON


def test_a_pseudonym_is_the_same_for_the_same_person_and_key_only() -> None:
    names = {pseudonym(key, user) for key in (b"k" * 32, b"l" * 32) for user in ("u1", "u2", "ü")}
    assert len(names) == 6
    assert pseudonym(b"k" * 32, "u1") in names


def test_a_pseudonym_is_128_bits_in_hexadecimal_and_holds_nothing_of_the_id() -> None:
    name = pseudonym(b"k" * 32, "person")
    assert len(bytes.fromhex(name)) == 16
    assert "person" not in name


def test_an_erasure_is_complete_when_the_id_is_forgotten() -> None:
    assert Erasure("p", NOON).complete
    assert not Erasure("p", NOON, "u1").complete

import pytest

from notify_server.errors import CredentialError
from notify_server.services.sealing import Seal


def test_a_secret_is_read_again_with_its_key_alone():
    seal = Seal("a key that is long enough for this")
    sealed = seal.close("secret")
    assert "secret" not in sealed
    assert seal.open(sealed) == "secret"
    assert seal.close("secret") != sealed
    with pytest.raises(CredentialError, match="NOTIFY_SETTINGS_KEY"):
        Seal("another key, as long as the other").open(sealed)
    for broken in ("", "x", sealed[:-4] + "AAAA"):
        with pytest.raises(CredentialError):
            seal.open(broken)


def test_without_a_key_nothing_is_sealed_or_opened():
    seal = Seal("")
    assert not seal.usable
    with pytest.raises(CredentialError):
        seal.close("secret")
    with pytest.raises(CredentialError):
        seal.open("x")

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from notify_server.channels.key_endpoint import fetch
from notify_server.errors import KeysUnavailable
from notify_server.services.keys import AGAIN, AGAIN_WITHOUT, FRESH, KEPT, STALE, KeySet, usable
from tests.builders import StoppedClock, at_once
from tests.key_issuer import KeyIssuer, KeyPair, key_pair

P384 = ec.generate_private_key(ec.SECP384R1())
R, E = key_pair("r", "RS256"), key_pair("e", "ES256")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def issuer() -> Iterator[KeyIssuer]:
    with KeyIssuer(R) as running:
        yield running


@pytest.fixture
def keys(issuer: KeyIssuer, clock: StoppedClock) -> KeySet:
    return KeySet(partial(fetch, issuer.url), clock)


def settled() -> None:
    """Return when no fetch is under way."""
    for thread in threading.enumerate():
        if thread.name == "keys":
            thread.join()


def test_a_key_is_found_by_its_id_and_its_algorithm_alone(keys: KeySet, issuer: KeyIssuer) -> None:
    found = keys.find("r", "RS256")
    assert found is not None
    assert found.algorithm_name == "RS256"
    for kid, algorithm in (("r", "ES256"), ("r", "HS256"), ("r", "none"), ("e", "RS256"), ("", "RS256")):
        assert keys.find(kid, algorithm) is None
    assert len(issuer.asked) == 1


def test_an_unknown_key_is_asked_for_once_in_a_while(keys: KeySet, issuer: KeyIssuer, clock: StoppedClock) -> None:
    keys.find("r", "RS256")
    issuer.keys.append(E)
    assert keys.find("e", "ES256") is None
    clock.forward(AGAIN.total_seconds())
    assert keys.find("e", "ES256") is not None
    for number in range(50):
        assert keys.find(f"guess{number}", "ES256") is None
    assert len(issuer.asked) == 2


def test_old_keys_are_fetched_again_while_requests_go_on(keys: KeySet, issuer: KeyIssuer, clock: StoppedClock) -> None:
    keys.find("r", "RS256")
    issuer.keys = [E]
    issuer.open.clear()
    clock.forward(FRESH.total_seconds())
    assert keys.find("r", "RS256") is not None  # though the endpoint does not answer
    issuer.open.set()
    settled()
    assert keys.find("e", "ES256") is not None
    assert keys.find("r", "RS256") is None
    assert len(issuer.asked) == 2


def test_a_withdrawn_key_is_not_taken_after_a_quiet_time(keys: KeySet, issuer: KeyIssuer, clock: StoppedClock) -> None:
    keys.find("r", "RS256")
    issuer.keys = [E]
    clock.forward(STALE.total_seconds())
    assert keys.find("r", "RS256") is None


def test_the_last_good_keys_are_kept_while_the_endpoint_is_down_but_not_for_ever(
    keys: KeySet, issuer: KeyIssuer, clock: StoppedClock
) -> None:
    keys.find("r", "RS256")
    for status, body in ((500, b""), (200, b"{}"), (200, b'{"keys": []}')):
        issuer.status, issuer.body = status, body
        clock.forward(STALE.total_seconds())
        assert keys.find("r", "RS256") is not None
        assert keys.find("e", "RS256") is None
    assert len(issuer.asked) == 4
    clock.forward(KEPT.total_seconds())
    with pytest.raises(KeysUnavailable):
        keys.find("r", "RS256")
    issuer.status, issuer.body = 200, None
    clock.forward(AGAIN.total_seconds())
    assert keys.find("r", "RS256") is not None


def test_without_any_key_it_says_so_and_soon_tries_again(keys: KeySet, issuer: KeyIssuer, clock: StoppedClock) -> None:
    issuer.status = 503
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            keys.find("r", "RS256")
    assert len(issuer.asked) == 1
    issuer.status = 200
    clock.forward(AGAIN_WITHOUT.total_seconds())
    assert keys.find("r", "RS256") is not None


def test_requests_that_come_together_wait_for_one_fetch(keys: KeySet, issuer: KeyIssuer) -> None:
    issuer.open.clear()
    threading.Timer(0.2, issuer.open.set).start()
    found = at_once(*[partial(keys.find, "r", "RS256")] * 8)
    assert all(key is not None for key in found)
    assert len(issuer.asked) == 1


def changed(key: KeyPair, **members: Any) -> dict[str, Any]:
    return {name: value for name, value in (key.public | members).items() if value is not None}


USELESS = {
    "no object": "key",
    "no kid": changed(R, kid=None),
    "kid no string": changed(R, kid=1),
    "a secret": {"kty": "oct", "kid": "o", "k": "c2VjcmV0", "alg": "HS256"},
    "a public key that claims to be a secret's": changed(R, alg="HS256"),
    "another algorithm": changed(R, alg="RS512"),
    "alg no string": changed(R, alg=["RS256"]),
    "kty no string": changed(R, kty=["RSA"]),
    "no kty": changed(R, kty=None),
    "for encryption": changed(R, use="enc"),
    "not to verify": changed(R, key_ops=["sign"]),
    "operations no list": changed(R, key_ops="verify"),
    "a private key": changed(R, **RSAAlgorithm.to_jwk(R.private, as_dict=True) | {"key_ops": None}),
    "a key on another curve": changed(E, **ECAlgorithm.to_jwk(P384.public_key(), as_dict=True)),
    "another curve": changed(E, crv="P-521"),
    "no curve": changed(E, crv=None),
    "no point": changed(E, x=None),
    "a point off the curve": changed(E, x=E.public["y"]),
    "no number": changed(R, n="!"),
    "number no string": changed(R, n=5),
    "short": KeyPair("short", "RS256", 1024).public,
}


@pytest.mark.parametrize("data", USELESS.values(), ids=USELESS)
def test_a_key_that_may_not_verify_is_left_out(data: Any) -> None:
    with pytest.raises(KeysUnavailable):
        usable({"keys": [data]})
    assert usable({"keys": [data, E.public]}).keys() == {("e", "ES256")}


@pytest.mark.parametrize("found", [None, [], "keys", {}, {"keys": None}, {"keys": {}}, {"keys": []}])
def test_what_is_no_key_set_holds_no_key(found: Any) -> None:
    with pytest.raises(KeysUnavailable):
        usable(found)


def test_a_key_that_names_no_algorithm_has_that_of_its_type() -> None:
    found = usable({"keys": [changed(R, alg=None, use=None), changed(E, alg=None, kid="r", key_ops=["verify"])]})
    assert found.keys() == {("r", "RS256"), ("r", "ES256")}

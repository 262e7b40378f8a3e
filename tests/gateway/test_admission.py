import asyncio
import json
from collections.abc import Callable

import pytest
import socketio

from notify_server.gateway.admission import Admission
from notify_server.services.user_tokens import LEEWAY, Proof, Signing, UserTokens
from tests.builders import StoppedClock
from tests.gateway.serving import Serving

TOKENS = UserTokens(Signing("a secret of the tests, long enough for HS256", "n", "n", 60), StoppedClock())


def test_a_token_admits_its_user() -> None:
    auth = {"token": TOKENS.mint("ada")[0], "since": "x"}
    assert asyncio.run(Admission(TOKENS).proof(auth)) == Proof("ada", 60.0 + LEEWAY)


@pytest.mark.parametrize("auth", [None, [], {"token": 1}, {"token": "nonsense"}])
def test_nothing_else_does(auth: object) -> None:
    with pytest.raises(socketio.exceptions.ConnectionRefusedError):
        asyncio.run(Admission(TOKENS).proof(auth))


def test_the_token_of_an_erased_person_is_taken_as_http_takes_it_and_finds_nothing(
    serve: Callable[..., Serving],
) -> None:
    served = serve()
    seen, _ = served.announce("ada", "one", "two")
    served.caught_up()
    token = served.token("ada")
    served.services.erasing.erase("ada")
    client = served.open()
    assert "sid" in client.connect(token, since=seen)
    assert json.loads(client.next()[2:]) == ["notification:replay", {"count": 0, "cut": False}]

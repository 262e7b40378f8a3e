from typing import Any

from notify_server.gateway.sockets import Socket, Sockets
from tests.gateway.harness import Line


def test_a_user_is_here_for_as_long_as_one_of_their_sockets_is_open() -> None:
    sockets = Sockets()
    line: Any = Line()
    phone, tablet = Socket("s1", line, "ada", 0), Socket("s2", line, "ada", 0)
    sockets.add(phone)
    sockets.add(tablet)
    assert (len(sockets), set(sockets.users), list(sockets.of("ada"))) == (2, {"ada"}, [phone, tablet])
    assert sockets.remove("s1") is phone
    assert (set(sockets.users), list(sockets.of("ada")), sockets.find("s1")) == ({"ada"}, [tablet], None)
    assert sockets.remove("s2") is tablet
    assert (len(sockets), set(sockets.users), list(sockets.of("ada"))) == (0, set(), [])


def test_closing_what_is_not_open_is_nothing() -> None:
    sockets = Sockets()
    assert sockets.remove("s1") is None
    assert sockets.find("s1") is None

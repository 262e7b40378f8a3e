from itertools import repeat
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from notify_server.processes.answer import TURN, Answer


class Taker:
    """In the place of a connection: keeps what is sent."""

    def __init__(self):
        self.sent = bytearray()

    def sendall(self, data):
        self.sent += data


@pytest.fixture
def taker():
    return Taker()


def answer(taker, made, *headers, method="GET"):
    request = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)
    response = Response(request, taker, Config())
    response.start_response("200 OK", list(headers))
    return Answer(response, made)


def test_an_answer_without_end_is_made_turn_by_turn(taker):
    endless = answer(taker, repeat(b"x" * 1000))
    assert not endless.has_begun
    for turn in range(1, 4):
        assert not endless.go_on()
        assert turn * TURN <= len(taker.sent) < turn * (TURN + 10_000)
    assert endless.has_begun


def test_the_last_turn_says_that_it_was(taker):
    made = answer(taker, iter([b"x" * TURN, b"y"]))
    assert [made.go_on(), made.go_on()] == [False, True]
    assert taker.sent.endswith(b"1\r\ny\r\n0\r\n\r\n")
    assert not made.is_last


def test_an_answer_in_one_piece_is_made_in_one_turn(taker):
    large = answer(taker, [b"x" * 3 * TURN], ("Content-Length", str(3 * TURN)))
    assert large.go_on()
    assert taker.sent.endswith(b"x" * 3 * TURN)


def test_without_a_piece_the_head_is_sent(taker):
    assert answer(taker, []).go_on()
    assert taker.sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert taker.sent.endswith(b"0\r\n\r\n")


def test_what_the_application_raises_is_passed_on_and_its_clean_up_is_called(taker):
    closed = []

    def pieces():
        try:
            yield b"x"
            raise ValueError("broken")
        finally:
            closed.append(True)

    broken = answer(taker, pieces())
    with pytest.raises(ValueError, match="broken"):
        broken.go_on()
    assert not taker.sent.endswith(b"0\r\n\r\n")
    broken.close()
    assert closed == [True]

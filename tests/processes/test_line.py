import socket

import pytest
from gunicorn.config import Config

from notify_server.processes.answer import Answer
from notify_server.processes.line import Line, Stage, Wire


@pytest.fixture
def ends():
    """The two ends of a connection, of which the first is ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), timeout=30)
        ours, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def line(ends):
    return Line(Config(), ends[0], ("127.0.0.1", 1), ("127.0.0.1", 2), 1000)


def test_what_the_client_does_not_take_is_kept_and_sent_later_in_order(ends):
    ours, theirs = ends
    wire, whole, taken = Wire(ours), b"0123456789" * 2_000_000, b""
    wire.sendall(whole[:-1])
    wire.sendall(whole[-1:])
    assert 0 < wire.held <= len(whole)
    while not wire.flush():
        taken += theirs.recv(1_000_000)
    ours.shutdown(socket.SHUT_WR)
    while more := theirs.recv(1_000_000):
        taken += more
    assert taken == whole


def test_very_many_pieces_are_kept_and_sent_in_order(ends):
    ours, theirs = ends
    wire, pieces, taken = Wire(ours), [b"%050d" % n for n in range(200_000)], bytearray()
    for piece in pieces:
        wire.sendall(piece)
    assert 0 < wire.held < sum(map(len, pieces))
    while not wire.flush():
        taken += theirs.recv(1_000_000)
    assert wire.held == 0
    ours.shutdown(socket.SHUT_WR)
    while more := theirs.recv(1_000_000):
        taken += more
    assert taken == b"".join(pieces)


def test_an_answer_that_is_given_up_is_cleaned_up_after(line):
    closed = []

    def made():
        try:
            yield b"x"
            yield b"y"
        finally:
            closed.append(True)

    line.answer = Answer(None, pieces := made())
    next(pieces)
    line.close()
    assert (closed, line.answer) == ([True], None)
    line.end_answer()


def test_nothing_is_waited_for(ends):
    wire = Wire(ends[0])
    wire.setblocking(True)
    assert wire.recv(10) is None
    ends[1].sendall(b"x")
    while (found := wire.recv(10)) is None:
        pass
    assert found == b"x"
    ends[1].close()
    while (found := wire.recv(10)) is None:
        pass
    assert found == b""


def test_what_comes_behind_a_request_begins_the_next(line):
    line.gathering.add(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n12GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    line.hand_over()
    first = next(line.parser)
    assert (first.uri, first.body.read(), line.keep) == ("/a", b"12", True)
    line.gathering.add(b"")
    line.hand_over()
    assert next(line.parser).uri == "/b"


def test_a_stage_ends(line):
    line.enter(Stage.BODY, 5.0)
    assert (line.stage, line.deadline - line.since) == (Stage.BODY, 5.0)

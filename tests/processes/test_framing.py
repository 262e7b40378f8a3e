import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.processes.framing import MAX_HEAD, Gathering, Progress

MAX = 1000
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n\r\n0\r\n2\r\n45\r\n0\r\n\r\n"
TRAILER = CHUNKED[:-2] + b"X: y\r\n\r\n"


def gathered(*pieces):
    gathering = Gathering(MAX)
    return gathering, [gathering.add(piece) for piece in pieces]


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED, TRAILER])
def test_a_request_is_whole_with_its_last_byte_and_not_before(request_):
    for at in range(1, len(request_)):
        gathering, [first, second] = gathered(request_[:at], request_[at:] + b"GET /next")
        assert first in {Progress.HEAD, Progress.BODY}
        assert second is Progress.WHOLE
        head, body, rest = gathering.take()
        assert (head + body, rest, gathering.certain) == (request_, b"GET /next", True)


@given(st.lists(st.sampled_from([GET, POST, CHUNKED, TRAILER]), min_size=1, max_size=5), st.data())
def test_requests_one_after_another_are_told_apart_however_they_arrive(requests, data):
    stream, found, gathering = b"".join(requests), [], Gathering(MAX)
    while stream:
        at = data.draw(st.integers(1, len(stream)))
        more, stream = stream[:at], stream[at:]
        while gathering.add(more) is Progress.WHOLE:
            head, body, rest = gathering.take()
            found.append(head + body)
            gathering, more = Gathering(MAX, rest), b""
            if not rest:
                break
    assert found == requests


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: +5",
        b"Content-Length: -1",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length:",
        b"Content-Length: " + b"9" * 30,
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding : xchunked",
    ],
)
def test_framing_that_could_be_read_in_two_ways_is_handed_over_and_nothing_follows_it(fields):
    gathering, [progress] = gathered(b"POST / HTTP/1.1\r\n" + fields + b"\r\n\r\n12345GET /smuggled")
    assert (progress, gathering.certain) == (Progress.WHOLE, False)
    assert gathering.take()[2] == b""


@pytest.mark.parametrize("chunk", [b"x\r\n", b"\r\n", b"-1\r\n", b"123456789\r\n", b"3 3\r\n", b"0x3\r\n", b"1" * 300])
def test_a_chunk_that_is_none_is_handed_over_too(chunk):
    gathering, [progress] = gathered(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
    assert (progress, gathering.certain) == (Progress.WHOLE, False)


def test_a_head_has_an_end():
    assert gathered(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD)[1] == [Progress.HEAD_TOO_LARGE]
    assert gathered(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n")[1] == [Progress.HEAD_TOO_LARGE]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"],
        [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n"],
        [CHUNKED[:-5], b"1F4\r\n" + b"x" * 500 + b"\r\n1F4\r\n"],
        [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"e" * 240 + b"\r\nx\r\n"]
        + [b"1;" + b"e" * 240 + b"\r\nx\r\n"] * 300,
    ],
    ids=["length", "chunk", "chunks together", "extensions"],
)
def test_a_body_that_is_too_large_is_known_before_it_is_there(pieces):
    assert gathered(*pieces)[1][-1] is Progress.BODY_TOO_LARGE


def test_who_waits_for_a_go_ahead_is_found_and_gunicorn_need_not_give_it():
    head = POST[:-9] + b"\r\nExpect: 100-Continue\r\nX: y\r\n\r\n"
    gathering, progress = gathered(head, b"12345")
    assert progress == [Progress.BODY, Progress.WHOLE]
    assert gathering.awaits_continue
    assert gathering.take()[:2] == (POST[:-9] + b"\r\nX: y\r\n\r\n", b"12345")
    assert not gathered(head + b"12345")[0].awaits_continue

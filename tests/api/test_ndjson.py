import json
from itertools import count, islice

from notify_server.api.ndjson import PIECE, pieces


def test_each_record_is_a_line_of_json() -> None:
    records = [{"a": "ä\n"}, {}, [1, None]]
    (piece,) = pieces(records)
    assert piece == b'{"a": "\xc3\xa4\\n"}\n{}\n[1, null]\n'
    assert list(pieces([])) == []


def test_a_stream_comes_in_pieces_of_whole_lines() -> None:
    records = [{"n": n, "text": "x" * (n % 500)} for n in range(2000)]
    found = list(pieces(records))
    assert [json.loads(line) for piece in found for line in piece.splitlines()] == records
    assert len(found) > 2
    assert all(PIECE <= len(piece) < PIECE + 1000 and piece.endswith(b"\n") for piece in found[:-1])


def test_no_more_is_read_than_is_asked_for() -> None:
    endless = pieces({"n": n} for n in count())
    assert len(list(islice(endless, 3))) == 3

import csv
import io

import pytest

from notify_server.api import tables

ROWS = [{"at": "2026-11-26", "read": 3, "rate": None}, {"at": 'a,"b"', "read": 0, "rate": 0.5}]


def test_rows_come_under_the_names_of_their_columns():
    answer = tables.answer(ROWS, ["at", "read", "rate"])
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.get_data(as_text=True) == 'at,read,rate\r\n2026-11-26,3,\r\n"a,""b""",0,0.5\r\n'
    assert [row["at"] for row in csv.DictReader(io.StringIO(answer.get_data(as_text=True)))] == [
        row["at"] for row in ROWS
    ]


def test_without_rows_the_names_are_there():
    assert tables.answer([], ["at", "read"]).get_data(as_text=True) == "at,read\r\n"


@pytest.mark.parametrize(
    ("accept", "csv_wanted"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/csv", True),
        ("text/csv, */*;q=0.1", True),
        ("application/json;q=0.5, text/csv;q=0.4", False),
        ("text/*", True),
        ("image/png", False),
    ],
)
def test_csv_is_for_whoever_would_rather_have_it(app, accept, csv_wanted):
    headers = {} if accept is None else {"Accept": accept}
    with app.test_request_context("/v1/statistics", headers=headers):
        assert tables.wanted() is csv_wanted

import json

import pytest

from tests.console.conftest import now
from tests.console.visitor import said


def records(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_file_holds_every_entry_and_says_that_it_is_whole(admin, notify):
    first, second = notify("u1", "u2"), notify("u1")
    answer = admin.get("/export/registry.ndjson")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="registry.ndjson"'
    found = records(answer)
    assert [record["kind"] for record in found] == ["export", "entry", "entry", "entry", "end"]
    assert {(record["notification_id"], record["user_id"]) for record in found[1:-1]} == {
        (first, "u1"), (first, "u2"), (second, "u1"),
    }  # fmt: skip
    assert found[-1]["entries"] == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [("category=news", 1), ("status=pending", 2), ("status=read", 0), ("to=2001-01-01", 0), ("group=g", 0)],
)
def test_it_is_narrowed_as_the_form_says(admin, notify, address, expected):
    notify("u1", category="news")
    notify("u1", category="other")
    assert records(admin.get(f"/export/registry.ndjson?{address}"))[-1]["entries"] == expected


def test_days_are_whole(admin, notify):
    notify("u1")
    today = f"{now():%Y-%m-%d}"
    assert records(admin.get(f"/export/registry.ndjson?from={today}&to={today}"))[-1]["entries"] == 1


def test_what_makes_no_sense_is_refused(admin):
    assert admin.get("/export/registry.ndjson?from=yesterday").status_code == 422
    page = admin.get("/export/registry.ndjson?notification=6b007bddabf10665a8c867db")
    assert page.status_code == 422
    assert "There is no notification 6b007bddabf10665a8c867db." in said(page)


def test_the_form_leads_to_the_file_also_without_a_script(admin):
    page = admin.get("/export")
    assert 'action="/console/export/registry.ndjson"' in page.text
    assert "NDJSON" in said(page)

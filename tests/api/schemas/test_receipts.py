from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from notify_server.api.schemas.receipts import ReceiptSchema, ReceiptsSchema, faultless
from notify_server.domain.registry import Status
from notify_server.services.reception import Report
from tests.api.caller import refused

RECEIPT = {"notification_id": "0" * 24, "status": "read"}
TIMES = [
    *(
        "2026-11-20T09:00:00Z",
        "2026-11-20t09:00:00z",
        "2026-11-20 09:00:00.5+05:30",
        "2026-11-20T09:00:00.1234567-00:00",
    ),
    *("2026-11-20T09:00:00", "2026-02-30T09:00:00Z", "2026-11-20T25:00:00Z", "2026-11-20T09:00:60Z", "2026-11-20", ""),
    *(
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59-01:00",
        "2099-12-31T23:59:59-01:00",
    ),
    *("2026-11-20T09:00:00+24:00", "2026-11-20T09:00:00Z\n", "٢٠٢٦-11-20T09:00:00Z", "20261120T090000Z", "now"),
]
ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just({"$ne": 1})
MEMBERS = {
    "notification_id": st.sampled_from(["0" * 24, "n1", "", "n" * 64, "n" * 65, "e\u0301"]) | ODD,
    "status": st.sampled_from(["received", "read", "sent", "READ"]) | ODD,
    "at": st.sampled_from(TIMES) | ODD,
    "device_id": st.sampled_from(["phone", "a/b", ".", "", "d" * 128, "d" * 129, "e\u0301", "é", "\u202e", "a\n"])
    | ODD,
    "user_id": st.just("u2"),
}
GOOD = st.fixed_dictionaries(
    {
        "notification_id": st.text("0123456789abcdef", min_size=24, max_size=24),
        "status": st.sampled_from(["received", "read"]),
    },
    optional={
        "at": st.sampled_from(TIMES[:4]) | st.none(),
        "device_id": st.sampled_from(["phone", "tablet", "é"]) | st.none(),
    },
)


class BySchemaAlone(Schema):
    """ReceiptsSchema without its short way."""

    receipts = fields.List(fields.Nested(ReceiptSchema), required=True, validate=validate.Length(1, 500))


def outcome(schema, receipts):
    try:
        return schema.load({"receipts": receipts})
    except ValidationError as error:
        return error.normalized_messages()


@pytest.mark.parametrize(
    ("receipts", "named"),
    [
        (None, ["receipts"]),
        ([], ["receipts"]),
        ({}, ["receipts"]),
        ([RECEIPT, 1, None], ["receipts.1", "receipts.2"]),
        ([{}], ["receipts.0.notification_id", "receipts.0.status"]),
        ([RECEIPT | {"status": "sent"}], ["receipts.0.status"]),
        ([RECEIPT | {"status": "READ"}], ["receipts.0.status"]),
        ([RECEIPT | {"status": {"$ne": 1}}], ["receipts.0.status.$ne"]),
        ([RECEIPT | {"notification_id": ""}], ["receipts.0.notification_id"]),
        ([RECEIPT | {"notification_id": 1}], ["receipts.0.notification_id"]),
        ([RECEIPT | {"at": "now"}], ["receipts.0.at"]),
        ([RECEIPT | {"at": 1_800_000_000}], ["receipts.0.at"]),
        ([RECEIPT | {"device_id": "a/b"}], ["receipts.0.device_id"]),
        ([RECEIPT | {"user_id": "u2"}], ["receipts.0.user_id"]),
    ],
)
def test_a_bad_report_is_refused_as_a_whole_with_its_fields_named(device_of, notify, stored, receipts, named):
    phone, before = device_of("u1"), stored()
    refused(phone.post("/v1/me/receipts", {"receipts": receipts}), 422, *named)
    assert stored() == before


def test_the_document_names_what_may_be_reported(contract):
    status = contract.document["components"]["schemas"]["Receipt"]["properties"]["status"]
    assert status["enum"] == ["received", "read"]


@given(st.lists(GOOD | st.fixed_dictionaries({}, optional=MEMBERS) | ODD, max_size=4))
def test_the_short_way_makes_the_same_of_every_report_and_the_same_errors(receipts):
    assert outcome(ReceiptsSchema(), receipts) == outcome(BySchemaAlone(), receipts)


@pytest.mark.parametrize("count", [1, 500, 501])
def test_the_short_way_holds_the_same_bounds(count):
    receipts = [RECEIPT] * count
    assert outcome(ReceiptsSchema(), receipts) == outcome(BySchemaAlone(), receipts)


def test_what_apps_send_goes_the_short_way():
    at = {"at": "2026-11-20T09:00:00.250Z", "device_id": "phone"}
    assert faultless([RECEIPT, RECEIPT | at]) == [
        Report("0" * 24, Status.READ),
        Report("0" * 24, Status.READ, datetime(2026, 11, 20, 9, 0, 0, 250_000, UTC), "phone"),
    ]


@pytest.mark.parametrize("doubtful", [{}, None, RECEIPT | {"status": "sent"}, RECEIPT | {"device_id": "e\u0301"}])
def test_what_is_in_doubt_does_not(doubtful):
    assert faultless([RECEIPT, doubtful]) is None

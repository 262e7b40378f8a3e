from notify_server.domain.measures import counted, counts, reasons, totals

TALLY = {
    "sent": 2,
    "received": 1,
    "read": 3,
    "suppressed": 2,
    "suppressed:muted_group": 2,
    "cancelled": 1,
    "cancelled:cancelled_by_backend": 1,
    "failed": 2,
    "failed:unregistered": 2,
    "received@100": 4,
    "read@200": 3,
    "pending": 0,
    "pending:no_device": 0,
}


def test_every_status_is_counted_and_names_that_are_none_are_not() -> None:
    assert counts(TALLY) == {
        "pending": 0,
        "sent": 2,
        "received": 1,
        "read": 3,
        "suppressed": 2,
        "failed": 2,
        "expired": 0,
        "cancelled": 1,
    }


def test_rates_are_of_those_who_were_addressed() -> None:
    found = counted(TALLY)
    assert (found["recipients"], found["delivery_rate"], found["read_rate"]) == (11, 0.5, 0.375)
    alone = counted({"suppressed": 3, "cancelled": 1})
    assert (alone["recipients"], alone["delivery_rate"], alone["read_rate"]) == (4, None, None)


def test_times_are_those_of_what_arrived() -> None:
    found = totals(TALLY)
    assert found["median_seconds_to_receive"] == found["p90_seconds_to_receive"] == 0.1
    assert found["median_seconds_to_read"] == 0.29
    assert totals({"sent": 1})["p90_seconds_to_read"] is None
    assert counted(TALLY).items() <= found.items()


def test_reasons_are_listed_by_how_many_they_concern_and_then_by_name() -> None:
    assert [(row["status"], row["reason"], row["count"]) for row in reasons(TALLY)] == [
        ("failed", "unregistered", 2),
        ("suppressed", "muted_group", 2),
        ("cancelled", "cancelled_by_backend", 1),
    ]

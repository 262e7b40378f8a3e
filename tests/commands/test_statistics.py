from notify_server.domain.statistics import Labels, Part
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.statistics import Statistics
from tests.builders import NOON, a_notification, recipients
from tests.counted import count_all


def test_verify_says_how_much_was_compared(run, database):
    made = a_notification()
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, None, recipients("a", "b"))], NOON)
    count_all(database)
    done = run("stats", "verify")
    assert done.stdout == "Compared 2 entries of 1 notifications, and 2 roll-ups: no difference.\n"


def test_verify_finds_what_differs_and_repairs_it(run, database):
    Statistics(database).add([(Labels("news", None), Part(NOON, None, {"sent": 1}))])
    found = run("stats", "verify", expect=1).stdout.splitlines()
    assert found[0] == "day 2026-11-20 of all: q.48.sent 1, not 0; t.sent 1, not 0"
    assert found[-1] == (
        "Compared 0 entries of 0 notifications, and 0 roll-ups: 4 differences. --repair counts them anew."
    )
    assert "They are repaired" in run("stats", "verify", "--repair", expect=1).stdout
    assert "no difference" in run("stats", "verify").stdout


def test_verify_names_what_waits_to_be_counted(run, database):
    made = a_notification()
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, None, recipients("a"))], NOON)
    [waiting, compared] = run("stats", "verify", "--wait", "0", expect=2).stdout.splitlines()
    assert waiting == f"1 notifications have changed and are not counted yet: {made.id}"
    assert compared == "Compared 0 entries of 0 notifications, and 0 roll-ups: the rest is equal."

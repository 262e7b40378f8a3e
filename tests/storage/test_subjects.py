import pytest

from notify_server.domain.notification import Audience
from notify_server.domain.statistics import Labels, Part
from notify_server.storage.documents import Store, new_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.subjects import Subject, Subjects
from tests.builders import NOON, a_notification, after

PART = Part(NOON, None, {"sent": 1})


@pytest.fixture
def subjects(database: Store) -> Subjects:
    return Subjects(database)


def stored(database: Store, **fields: object) -> str:
    made = a_notification(**fields)
    Notifications(database).add(made, None)
    return made.id


def test_a_subject_says_what_its_entries_count_towards(subjects: Subjects, database: Store) -> None:
    audience = Audience(communities=("school",), groups=("chess", "golf"))
    name = stored(database, category="news", audience=audience)
    assert subjects.of([name, new_id()]) == {name: Subject(name, Labels("news", "school"), 2, 0, [])}


def test_pages_are_in_order_and_without_what_was_retired(subjects: Subjects, database: Store) -> None:
    names = sorted(stored(database) for _ in range(4))
    with database.client.start_session() as session, session.start_transaction():
        subjects.retire(names[1:2], NOON, session)
    assert [subject.id for subject in subjects.page(None, 2)] == [names[0], names[2]]
    assert [subject.id for subject in subjects.page(names[2], 2)] == [names[3]]
    assert subjects.of(names[1:2]) == {}


def test_what_is_kept_of_erased_people_adds_up(subjects: Subjects, database: Store) -> None:
    name = stored(database)
    for parts in ([PART], [PART, Part(after(900), "chess", {"read": 1})]):
        with database.client.start_session() as session, session.start_transaction():
            subjects.keep_erased({name: parts, new_id(): parts}, {name: len(parts)}, session)
    assert subjects.of([name])[name].bereft == [1, 2]
    with database.client.start_session() as session, session.start_transaction():
        subjects.recounted(name, [1, 7], session)
    assert subjects.of([name])[name].bereft == [2]
    kept = subjects.of([name])[name].erased
    assert sorted(kept, key=lambda part: part.quarter) == [
        Part(NOON, None, {"sent": 2}),
        Part(after(900), "chess", {"read": 1}),
    ]

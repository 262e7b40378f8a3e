from notify_server.domain.statistics import Labels
from notify_server.services.counting_groups import groups, is_brief
from notify_server.storage.subjects import Subject


def subject(name: str, recipients: int, addressed: int = 0) -> Subject:
    return Subject(name, Labels(None, None), addressed, recipients, ())


def test_what_has_few_recipients_in_few_groups_is_brief() -> None:
    assert is_brief(subject("a", 500))
    assert is_brief(subject("a", 500, 9))
    assert not is_brief(subject("a", 501))
    assert not is_brief(subject("a", 500, 10))
    assert not is_brief(subject("a", 30, 1000))


def test_a_group_has_few_recipients() -> None:
    assert list(groups([])) == []
    assert list(groups([subject("a", 500), subject("b", 500), subject("c", 1000), subject("d", 1)])) == [
        ["a", "b", "c"],
        ["d"],
    ]


def test_a_group_has_few_notifications() -> None:
    assert [len(names) for names in groups([subject(str(n), 1) for n in range(450)])] == [200, 200, 50]


def test_groups_that_are_addressed_count_too() -> None:
    assert list(groups([subject("a", 400, 9), subject("b", 100, 9), subject("c", 1), subject("d", 100, 40)])) == [
        ["a", "b"],
        ["c", "d"],
    ]

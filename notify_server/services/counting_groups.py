"""Which notifications are counted together: what a transaction has to write grows with recipients and groups."""

from collections.abc import Iterator, Sequence

from notify_server.storage.subjects import Subject

BRIEF = 500  # recipients; larger ones are counted by themselves, chunk by chunk
_PARTS = 5_000  # recipients, each once for the whole and once for each group that is addressed: of one notification,
_TOGETHER = 200  # and of all those of one transaction
_RECIPIENTS = 2_000


def is_brief(subject: Subject) -> bool:
    """Whether it may be counted together with others."""
    return subject.recipients <= BRIEF and _parts(subject) <= _PARTS


def groups(subjects: Sequence[Subject]) -> Iterator[list[str]]:
    """The names of brief ones, in groups that one transaction can take."""
    names: list[str] = []
    recipients = parts = 0
    for subject in subjects:
        recipients, parts = recipients + subject.recipients, parts + _parts(subject)
        if names and (len(names) == _TOGETHER or recipients > _RECIPIENTS or parts > _PARTS):
            yield names
            names, recipients, parts = [], subject.recipients, _parts(subject)
        names.append(subject.id)
    if names:
        yield names


def _parts(subject: Subject) -> int:
    return subject.recipients * (1 + subject.groups)

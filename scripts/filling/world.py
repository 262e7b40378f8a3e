"""How large the world is that is made: its people, and its notifications day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

CATEGORIES = {
    "booking": 20,
    "timetable": 18,
    "homework": 16,
    "message": 14,
    "grades": 8,
    "events": 7,
    "canteen": 6,
    "transport": 5,
    "payment": 3,
    "library": 2,
    "security": 1,
}
# Hours of the day (UTC) by how much is sent in them.
_HOURS = [1, 0, 0, 0, 0, 2, 8, 14, 12, 10, 9, 9, 10, 9, 9, 10, 10, 8, 6, 5, 4, 3, 2, 1]
_WEEKEND = 0.25  # of a working day
# Shares of the entries: to one person, to a class, to a school, to everyone.
_ONE, _CLASS, _SCHOOL = 0.05, 0.55, 0.25
_CLASS_SIZE = 27
_SCHOOLS = 20
_CLASSES_OF_A_PERSON = 3


@dataclass(frozen=True, slots=True)
class Sending:
    """One notification: when, of which category, and whom it addresses, which decides who is reached through what."""

    at: datetime
    category: str
    users: range | tuple[int, ...]
    group: str | None
    community: str | None
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """So many people in schools and classes, and so many entries in so many days up to `until`."""

    entries: int
    days: int
    people: int
    until: datetime

    @classmethod
    def of(cls, entries: int, days: int) -> "World":
        """A world in which each person gets about two hundred notifications a year."""
        people = max(2_000, min(50_000, entries // 200))
        return cls(entries, days, people, datetime.now(UTC).replace(microsecond=0))

    @property
    def school_size(self) -> int:
        """People of one school, who have numbers that follow each other."""
        return self.people // _SCHOOLS

    @property
    def classes(self) -> int:
        """Classes of all schools."""
        return self.people * _CLASSES_OF_A_PERSON // _CLASS_SIZE

    def school_of(self, person: int) -> str:
        """The community of a person."""
        return f"school-{min(person // self.school_size, _SCHOOLS - 1):02}"

    def class_members(self, number: int) -> range:
        """Who is in a class: they are of one school, for the most part."""
        first = number * _CLASS_SIZE // _CLASSES_OF_A_PERSON
        return range(first, min(first + _CLASS_SIZE, self.people))

    def classes_of(self, person: int) -> list[str]:
        """The groups of a person."""
        last = person * _CLASSES_OF_A_PERSON // _CLASS_SIZE
        numbers = range(max(0, last - _CLASSES_OF_A_PERSON), min(last + 1, self.classes))
        return [f"class-{number:05}" for number in numbers if person in self.class_members(number)]

    def day(self, number: int) -> Iterator[Sending]:
        """The notifications of one day, of which number 0 is the first."""
        rng = Random(number)  # noqa: S311 - the same year each time
        start = (self.until - timedelta(days=self.days - number)).replace(hour=0, minute=0, second=0)
        budget = self.entries / self.days * (_WEEKEND if start.weekday() > 4 else 1.3)
        for _ in range(_rounded(rng, budget * _ONE)):
            person = rng.randrange(self.people)
            yield Sending(_moment(rng, start), _category(rng), (person,), None, self.school_of(person))
        for _ in range(_rounded(rng, budget * _CLASS / _CLASS_SIZE)):
            number = min(int(rng.paretovariate(0.7)) - 1, self.classes - 1) if rng.random() < 0.02 else -1
            number = rng.randrange(self.classes) if number < 0 else number
            members = self.class_members(number)
            yield Sending(
                _moment(rng, start), _category(rng), members, f"class-{number:05}", self.school_of(members[0])
            )
        for _ in range(_rounded(rng, budget * _SCHOOL / self.school_size)):
            school = rng.randrange(_SCHOOLS)
            members = range(school * self.school_size, (school + 1) * self.school_size)
            yield Sending(_moment(rng, start), _category(rng), members, None, f"school-{school:02}")
        for _ in range(_rounded(rng, budget * (1 - _ONE - _CLASS - _SCHOOL) / self.people)):
            yield Sending(_moment(rng, start), _category(rng), range(self.people), None, None, everyone=True)


def _rounded(rng: Random, number: float) -> int:
    """To one side or the other, so that it is right on the average."""
    return int(number) + (rng.random() < number % 1)


def _category(rng: Random) -> str:
    return rng.choices(list(CATEGORIES), list(CATEGORIES.values()))[0]


def _moment(rng: Random, start: datetime) -> datetime:
    hour = rng.choices(range(24), _HOURS)[0]
    return start + timedelta(hours=hour, seconds=rng.randrange(3600), milliseconds=rng.randrange(1000))

"""Counting all of a database for the first time: by the code of the scheduler, without its pauses."""

from notify_server.config import Config
from notify_server.services.clock import database_clock
from notify_server.services.counting_chunks import count_chunks
from notify_server.services.counting_groups import groups, is_brief
from notify_server.services.counting_lease import CountingLease
from notify_server.storage.counts import Counts
from notify_server.storage.database import connect
from notify_server.storage.leases import Leases
from notify_server.storage.subjects import Subjects

_PAGE = 1000  # notifications


def count(config: Config) -> int:
    """Count every notification. Returns how many entries they have."""
    database, counted, after = connect(config), 0, None
    with database.client:
        subjects, counts = Subjects(database), Counts(database)
        lease = CountingLease(Leases(database), config.owner, database_clock(database))
        with lease.held():
            while page := subjects.page(after, _PAGE):
                for names in groups([subject for subject in page if is_brief(subject)]):
                    done = counts.count_brief(names, lease.owner, lease.now())
                    counted += sum(done.entries.values()) if done else 0
                for subject in page:
                    if not is_brief(subject):
                        counted += count_chunks(counts, lease, subject.id) or 0
                lease.take()
                after = page[-1].id
    return counted

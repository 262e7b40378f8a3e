from random import Random

from notify_server.domain.notification import Audience
from notify_server.domain.statistics import Labels
from notify_server.storage.documents import object_id
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.standings import Standing, Standings
from tests.builders import NOON
from tests.statistics_world import World


def test_a_notification_is_told_by_its_labels_its_groups_and_its_size(database):
    world = World(database, Random(1))  # noqa: S311 - not a secret
    audience = Audience(groups=("choir",), communities=("school-1",))
    one = world.notify(NOON, 7, category="news", community=None, audience=audience)
    other = world.notify(NOON, 3)
    database["notifications"].update_one({"_id": object_id(other)}, {"$set": {"retired_at": NOON}})
    with Snapshots(database).session() as session:
        found = Standings(database).of([one, other, "0" * 24], session)
        assert found == [Standing(one, Labels("news", "school-1"), ["choir"], 7)]
        assert Standings(database).of([], session) == []

from notify_server.storage.documents import Store
from notify_server.storage.hash_keys import HashKeys
from tests.builders import at_once


def test_a_key_is_the_same_for_all_processes_and_for_ever(database: Store) -> None:
    keys = at_once(*(lambda: HashKeys(database).get("a") for _ in range(8)))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert HashKeys(database).get("a") == keys[0]


def test_each_name_has_a_key_of_its_own(database: Store) -> None:
    keys = HashKeys(database)
    assert keys.get("a") != keys.get("b")

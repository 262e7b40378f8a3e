from notify_server.domain.registry import Reason
from notify_server.storage.blocked_addresses import BlockedAddresses
from tests.builders import NOON, after


def test_an_address_is_blocked_however_it_is_spelled_until_it_is_allowed(database):
    blocked = BlockedAddresses(database)
    blocked.block("Ada@Example.org", Reason.BAD_ADDRESS, "550 5.1.1", NOON)
    blocked.block("ada@example.org", Reason.BOUNCED, None, after(1))
    assert blocked.among({"ada@example.org", "b@example.org"}) == {"ada@example.org": "bad_address 550 5.1.1"}
    assert blocked.allow("ADA@example.org")
    assert not blocked.allow("ada@example.org")
    assert blocked.among(["ada@example.org"]) == {}
    assert blocked.among([]) == {}


def test_no_address_can_be_read_from_the_collection(database):
    BlockedAddresses(database).block("wilhelm@example.org", Reason.BOUNCED, None, NOON)
    assert "wilhelm" not in str(list(database["blocked_addresses"].find()))

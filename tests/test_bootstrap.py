from collections.abc import Iterator
from dataclasses import replace

import pytest

from notify_server.bootstrap import (
    build_cancellation,
    build_engine,
    build_gateway,
    build_resending,
    build_services,
    build_upkeep,
)
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.batch import Rank
from notify_server.domain.push import PushTransport
from notify_server.storage.database import connect
from notify_server.storage.documents import Store
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, StoppedClock, a_notification, after
from tests.fcm_simulator import free_port
from tests.key_issuer import AUDIENCE, ISSUER, KeyIssuer, key_pair


@pytest.fixture
def transport() -> Iterator[PushTransport]:
    made = open_transport(Config())
    yield made
    made.close()


def test_wiring_contacts_nothing(transport: PushTransport) -> None:
    config = Config(mongodb_uri=f"mongodb://127.0.0.1:{free_port()}")
    with connect(config).client as client:
        database = client[config.database]
        built = [build(config, database) for build in (build_services, build_upkeep)]
        built += [build(database) for build in (build_cancellation, build_resending)]
        assert len([*built, build_engine(config, database, transport)]) == 5


def test_two_runs_of_one_worker_are_two_owners(config: Config, database: Store, transport: PushTransport) -> None:
    for _ in range(2):
        Notifications(database).add(a_notification(), None)
        assert build_engine(config, database, transport, StoppedClock()).expansion.claim(list(Rank), 1)
    owners = database["notifications"].distinct("owner")
    assert len(owners) == 2
    assert all(owner.startswith(f"{config.owner}:") for owner in owners)


def test_the_clock_and_the_lease_are_those_given(config: Config, database: Store, transport: PushTransport) -> None:
    Notifications(database).add(a_notification(), None)
    build_engine(config, database, transport, StoppedClock()).expansion.claim(list(Rank), 1)
    leadership, _ = build_upkeep(config, database, StoppedClock())
    assert leadership.held()
    assert database["notifications"].distinct("due_at") == [after(config.lease)]
    assert database["leases"].distinct("until") == [after(config.lease)]
    assert build_services(config, database, StoppedClock()).people.put("u1", {})
    assert database["users"].distinct("created_at") == [NOON]


@pytest.mark.parametrize("named", [{"jwt_jwks_issuer": ISSUER, "jwt_jwks_audience": AUDIENCE}, {}])
def test_a_foreign_issuer_is_named_by_itself_or_else_as_we_are(
    config: Config, database: Store, named: dict[str, str]
) -> None:
    with KeyIssuer(key_pair("e", "ES256")) as issuer:
        ours = replace(config, jwt_secret="a secret that is long enough for HS256", jwt_secret_previous="p" * 32)
        both = replace(ours, jwt_jwks_url=issuer.url, **named)
        theirs = {} if named else {"iss": config.jwt_issuer, "aud": config.jwt_audience}
        for tokens in (
            build_services(both, database).user_tokens,
            build_gateway(both, database).user_tokens,
        ):
            assert tokens.authenticate(issuer.keys[0].sign(**theirs)) == "u1"
            for secret in (both.jwt_secret, both.jwt_secret_previous):
                minting = build_services(replace(config, jwt_secret=secret), database).user_tokens
                assert tokens.authenticate(minting.mint("u2")[0]) == "u2"


def test_a_probe_by_mail_may_take_longer_than_the_service_has_for_an_answer(
    database: Store, transport: PushTransport
) -> None:
    config = Config(mail_timeout=40.0)
    governor = build_engine(config, database, transport, StoppedClock()).mail_governor
    assert governor._limits.probe.total_seconds() > config.mail_timeout

from http import HTTPStatus

import pytest

from notify_server.bootstrap import build_services
from notify_server.domain.server_token import client_of
from notify_server.errors import DatabaseUnavailable, NotFound
from notify_server.services.audit import AuditLog, Change, Kind, Line, Party
from notify_server.storage.documents import Store
from tests.builders import NOON, StoppedClock, after
from tests.services.interruption import Interrupted
from tests.services.scene import Scene

USER = Party(Kind.USER, "u1")


@pytest.fixture
def audit(scene: Scene) -> AuditLog:
    return scene.services.audit


def lines(audit: AuditLog, **filters: object) -> list[Line]:
    return [told.line for told in audit.page(filters, None, 99)]


def test_a_client_is_shown_with_name_and_prefix(scene: Scene, audit: AuditLog) -> None:
    client = client_of(scene.services.server_tokens.create("backend", []))
    audit.begin(Change(Party(Kind.CLIENT, client), "users.put", None, USER))
    audit.begin(Change(Party(Kind.CLIENT, "unknown"), "users.put", None, USER))
    audit.begin(Change(USER, "me.register"))
    told = [(t.actor.party.id, t.actor.name, t.actor.prefix) for t in audit.page({}, None, 9)]
    assert sorted(told) == sorted(
        [(client, "backend", f"nst_{client}"), ("unknown", None, "nst_unknown"), ("u1", None, None)]
    )


def test_an_erased_person_is_found_by_who_knows_their_id(scene: Scene, audit: AuditLog) -> None:
    scene.services.people.put("u1", {})
    change = Change(Party(Kind.COMMAND, "admin"), "users.erase", None, USER)
    line = audit.begin(change)
    proof = scene.services.erasing.erase("u1")
    audit.end(line, change, 200)
    [found] = lines(audit, object="u1")
    assert found.change.object == Party(Kind.USER, proof.pseudonym, pseudonym=True)
    assert (found.id, found.status) == (line, 200)
    assert lines(audit, object="u2", actor=None) == []


def test_what_an_erased_person_did_is_found_by_nobody(scene: Scene, audit: AuditLog) -> None:
    scene.services.people.put("u1", {})
    audit.begin(Change(USER, "me.register", None, Party(Kind.DEVICE, "phone"), address="192.0.2.7"))
    proof = scene.services.erasing.erase("u1")
    assert [lines(audit, actor=name) for name in ("u1", proof.pseudonym)] == [[], []]
    assert lines(audit, object="phone") == []
    [line] = lines(audit)
    assert (line.change.action, line.change.address) == ("me.register", None)


def test_who_is_not_there_is_not_named_in_clear(scene: Scene, audit: AuditLog) -> None:
    change = Change(Party(Kind.COMMAND, "admin"), "users.erase", None, USER)
    audit.end(audit.begin(change), change, HTTPStatus.NOT_FOUND)
    assert "u1" not in str(list(scene.database["audit"].find()))


def test_where_no_line_can_be_written_nothing_may_be_done(scene: Scene) -> None:
    def away() -> None:
        raise DatabaseUnavailable("away")

    services = build_services(scene.config, Interrupted(scene.database, 0, away), scene.clock)  # type: ignore[arg-type]
    done = []
    with pytest.raises(DatabaseUnavailable), services.audit.command("tokens.revoke"):
        done.append("changed")
    assert done == []


def test_a_line_that_cannot_be_completed_stays_without_a_status(audit: AuditLog, scene: Scene) -> None:
    def away() -> None:
        raise DatabaseUnavailable("away")

    change = Change(Party(Kind.COMMAND, "admin"), "users.erase", None, USER)
    line = audit.begin(change)
    cut_off = Interrupted(scene.database, 0, away)
    build_services(scene.config, cut_off, scene.clock).audit.end(line, change, 404)  # type: ignore[arg-type]
    assert cut_off.happened
    assert [(found.id, found.status) for found in lines(audit)] == [(line, None)]


@pytest.mark.parametrize(
    ("raised", "status"), [(None, 200), (NotFound("none"), 404), (DatabaseUnavailable("away"), 500)]
)
def test_a_command_is_written_down_with_its_account_and_outcome(
    audit: AuditLog, raised: Exception | None, status: int
) -> None:
    def run() -> None:
        with audit.command("tokens.rotate", Party(Kind.TOKEN, "t1"), ["expires_at"]):
            if raised:
                raise raised

    if raised:
        with pytest.raises(type(raised)):
            run()
    else:
        run()
    [line] = lines(audit)
    assert line.change.actor.kind is Kind.COMMAND
    assert line.change.actor.id
    assert (line.change.object, list(line.change.fields)) == (Party(Kind.TOKEN, "t1"), ["expires_at"])
    assert (line.at, line.status) == (NOON, status)


def test_what_a_command_makes_is_named(audit: AuditLog, clock: StoppedClock) -> None:
    clock.forward(5)
    with audit.command("tokens.create") as made:
        made.party = Party(Kind.TOKEN, "t1")
    [line] = lines(audit, action="tokens.create", **{"from": after(5), "to": after(6)})
    assert line.change.object == Party(Kind.TOKEN, "t1")


def test_lines_are_kept_for_as_long_as_is_set(scene: Scene, audit: AuditLog, database: Store) -> None:
    audit.begin(Change(USER, "me.register"))
    [stored] = database["audit"].find()
    assert (stored["ends_at"] - stored["at"]).days == scene.config.audit_days

import re
from datetime import timedelta

import pytest

from notify_server.domain.server_token import client_of
from notify_server.errors import Unauthenticated
from notify_server.services.server_tokens import Scope


def secret_of(token):
    return token.split("_", 2)[2]


def test_a_created_token_stands_alone_on_the_last_line_and_may_do_everything(run, tokens):
    done = run("token", "create", "legacy backend", NOTIFY_LOG_LEVEL="debug")
    token = done.stdout.splitlines()[-1]
    client = tokens.authenticate(token)
    assert (client.name, client.scopes) == ("legacy backend", frozenset(Scope))
    assert tokens.get(client.id)["expires_at"] is None
    assert secret_of(token) not in done.stderr


def test_scopes_and_an_expiry_narrow_it(run, tokens):
    token = run("token", "create", "n", "--scope", "read", "--scope", "send", "--expires", "90d").stdout.strip()
    assert tokens.authenticate(token).scopes == {Scope.READ, Scope.SEND}
    shown = tokens.get(client_of(token))
    assert shown["expires_at"] - shown["created_at"] == timedelta(days=90)


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (["--scope", "fly"], 1, r"scope: Unknown: fly\. .*\n"),
        (["--expires", "2020-01-31"], 1, r"expires_at: Must lie in the future\.\n"),
        (["--expires", "0"], 1, r"expires_at: Must lie in the future\.\n"),
        (["--expires", "soon"], 2, r"(?s).*'soon' is neither .*"),
    ],
)
def test_what_cannot_be_is_refused_and_makes_no_token(run, database, options, code, complaint):
    done = run("token", "create", "n", *options, expect=code)
    assert re.fullmatch(complaint, done.stderr)
    assert done.stdout == ""
    assert database["clients"].count_documents({}) == 0


def test_the_list_shows_everything_but_the_secret(run, tokens):
    plain, revoked = tokens.create("first of all", ["read", "send"]), tokens.create("second", [])
    rotated, expiring = tokens.create("third", ["send"]), tokens.create("fourth", ["send"], timedelta(days=1))
    tokens.revoke(client_of(revoked))
    rotation = tokens.rotate(client_of(rotated))
    header, *lines = run("token", "list").stdout.splitlines()
    columns = re.split(r"\s{2,}", header)
    assert columns == ["ID", "PREFIX", "STATE", "CREATED", "EXPIRES", "LAST USED", "SCOPES", "NAME"]
    rows = {line.split()[0]: dict(zip(columns, re.split(r"\s{2,}", line), strict=True)) for line in lines}
    assert rows.keys() == {client_of(token) for token in (plain, revoked, rotated, expiring)}
    shown = rows[client_of(plain)]
    assert shown["PREFIX"] == f"nst_{client_of(plain)}"
    assert plain.startswith(shown["PREFIX"])
    assert (shown["STATE"], shown["EXPIRES"], shown["LAST USED"]) == ("active", "never", "never")
    assert (shown["SCOPES"], shown["NAME"]) == ("send,read", "first of all")
    assert re.fullmatch(r"revoked \d{4}-\d\d-\d\d", rows[client_of(revoked)]["STATE"])
    assert re.fullmatch(r"active, old secret until [\d-]+ [\d:]+", rows[client_of(rotated)]["STATE"])
    assert re.fullmatch(r"[\d-]+ [\d:]+", rows[client_of(expiring)]["EXPIRES"])
    assert not any(secret_of(token) in str(lines) for token in (plain, revoked, rotated, rotation, expiring))


def test_a_rotated_token_has_two_secrets_for_as_long_as_was_said(run, tokens):
    old = tokens.create("t", ["send"])
    new = run("token", "rotate", client_of(old), "--overlap", "1h").stdout.splitlines()[-1]
    assert tokens.authenticate(old) == tokens.authenticate(new)
    assert client_of(new) == client_of(old)
    shown = tokens.get(client_of(old))
    assert shown["previous_until"] - shown["rotated_at"] == timedelta(hours=1)


def test_without_an_overlap_the_old_secret_ends_at_once(run, tokens):
    old = tokens.create("t", ["send"])
    new = run("token", "rotate", client_of(old), "--overlap", "0", "--expires", "30d").stdout.strip()
    assert tokens.authenticate(new).name == "t"
    assert tokens.get(client_of(new))["expires_at"] is not None
    with pytest.raises(Unauthenticated, match="replaced"):
        tokens.authenticate(old)


def test_a_token_that_is_not_there_is_not_rotated(run):
    assert run("token", "rotate", "nobody", expect=1).stderr == "There is no active token 'nobody'.\n"


def test_a_revoked_token_is_good_for_nothing_and_cannot_be_revoked_again(run, tokens):
    token = tokens.create("t", [])
    client = client_of(token)
    run("token", "revoke", client)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)
    assert run("token", "revoke", client, expect=1).stderr == f"There is no active token '{client}'.\n"


def test_what_commands_do_to_tokens_is_in_the_audit_log(run, database):
    token = run("token", "create", "backend").stdout.splitlines()[-1]
    run("token", "rotate", client_of(token))
    run("token", "revoke", client_of(token))
    lines = list(database["audit"].find().sort("_id", 1))
    assert [line["action"] for line in lines] == ["tokens.create", "tokens.rotate", "tokens.revoke"]
    assert {(line["actor"]["kind"], line["object"]["id"], line["status"]) for line in lines} == {
        ("command", client_of(token), 200)
    }
    assert token not in str(lines)

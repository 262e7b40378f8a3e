import re

import pytest

from notify_server.errors import Unauthenticated
from notify_server.services.server_tokens import Scope


def test_a_created_token_stands_alone_on_the_last_line_and_may_do_everything(run, tokens):
    done = run("token", "create", "legacy backend", NOTIFY_LOG_LEVEL="debug")
    token = done.stdout.splitlines()[-1]
    client = tokens.authenticate(token)
    assert (client.name, client.scopes) == ("legacy backend", frozenset(Scope))
    assert token.split("_", 2)[2] not in done.stderr


def test_scopes_narrow_it(run, tokens):
    token = run("token", "create", "n", "--scope", "read", "--scope", "send").stdout.strip()
    assert tokens.authenticate(token).scopes == {Scope.READ, Scope.SEND}


def test_an_unknown_scope_is_refused_and_makes_no_token(run, database):
    done = run("token", "create", "n", "--scope", "fly", expect=1)
    assert re.fullmatch(r"scope: Unknown: fly\. .*\n", done.stderr)
    assert done.stdout == ""
    assert database["clients"].count_documents({}) == 0


def test_the_list_shows_everything_but_the_secret(run, tokens):
    first, second = tokens.create("first", ["read"]), tokens.create("second", [])
    tokens.revoke(second.split("_")[1])
    lines = {line.split()[0]: line for line in run("token", "list").stdout.splitlines()}
    assert lines.keys() == {first.split("_")[1], second.split("_")[1]}
    assert re.search(r"active +read +first$", lines[first.split("_")[1]])
    assert re.search(r"revoked \d{4}-\d\d-\d\d .*second$", lines[second.split("_")[1]])
    assert not any(token.split("_", 2)[2] in str(lines) for token in (first, second))


def test_a_revoked_token_is_good_for_nothing_and_cannot_be_revoked_again(run, tokens):
    token = tokens.create("t", [])
    client = token.split("_")[1]
    run("token", "revoke", client)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)
    assert run("token", "revoke", client, expect=1).stderr == f"There is no active token '{client}'.\n"

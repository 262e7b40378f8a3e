"""The command line. What only explains or refuses runs in this process; all else as processes, as an operator does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from notify_server.bootstrap import build_services
from notify_server.cli import main
from notify_server.errors import Unauthenticated
from notify_server.services.server_tokens import Scope

BOOKING = Path(__file__).parents[1] / "examples" / "booking.json"
COMMANDS = {"up", "migrate", "web", "worker", "scheduler", "realtime", "simulator", "token", "check-config", "send"}
PROCESSES = ["web", "worker", "scheduler", "realtime", "simulator", "up"]
OUTSIDE = ("NOTIFY_", "PROMETHEUS_")  # settings that are not the test's

Done = subprocess.CompletedProcess[str]


def invoke(*arguments: str, stdin: str = "", **environment: str) -> Result:
    """Runs a command in this process; only for those that end before they set up logs."""
    outside = dict.fromkeys(name for name in os.environ if name.startswith(OUTSIDE))
    return CliRunner().invoke(main, arguments, input=stdin, env=outside | environment)


@pytest.fixture
def run(config: Any, database: Any) -> Callable[..., Done]:
    """Runs a command as a process on the test's database, which ends with the exit code `expect`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
    where = {"NOTIFY_MONGODB_URI": config.mongodb_uri, "NOTIFY_DATABASE": config.database}

    def call(*arguments: str, expect: int = 0, stdin: str = "", **environment: str) -> Done:
        command = [sys.executable, "-m", "notify_server.cli", *arguments]
        told = inherited | where | environment
        done = subprocess.run(command, env=told, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture
def tokens(config, database):
    return build_services(config, database).server_tokens


def listed(text: str) -> set[str]:
    return set(re.findall(r"^  ([a-z][a-z-]+)  ", text, re.MULTILINE))


def named(text: str) -> set[str]:
    """The variables that begin the lines."""
    return {line.partition(":")[0] for line in text.splitlines()}


def test_help_lists_the_contracts_commands(run):
    assert listed(run("--help").stdout) == COMMANDS
    assert listed(invoke("token", "--help").stdout) == {"create", "list", "revoke"}


def test_every_command_explains_itself():
    for command in COMMANDS:
        done = invoke(command, "--help")
        assert (done.exit_code, done.stdout[:6]) == (0, "Usage:")


class TestToken:
    def test_a_created_token_stands_alone_on_the_last_line_and_may_do_everything(self, run, tokens):
        done = run("token", "create", "legacy backend", NOTIFY_LOG_LEVEL="debug")
        token = done.stdout.splitlines()[-1]
        client = tokens.authenticate(token)
        assert (client.name, client.scopes) == ("legacy backend", frozenset(Scope))
        assert token.split("_", 2)[2] not in done.stderr

    def test_scopes_narrow_it(self, run, tokens):
        token = run("token", "create", "n", "--scope", "read", "--scope", "send").stdout.strip()
        assert tokens.authenticate(token).scopes == {Scope.READ, Scope.SEND}

    def test_an_unknown_scope_is_refused_and_makes_no_token(self, run, database):
        done = run("token", "create", "n", "--scope", "fly", expect=1)
        assert re.fullmatch(r"scope: Unknown: fly\. .*\n", done.stderr)
        assert done.stdout == ""
        assert database["clients"].count_documents({}) == 0

    def test_the_list_shows_everything_but_the_secret(self, run, tokens):
        first, second = tokens.create("first", ["read"]), tokens.create("second", [])
        tokens.revoke(second.split("_")[1])
        lines = {line.split()[0]: line for line in run("token", "list").stdout.splitlines()}
        assert lines.keys() == {first.split("_")[1], second.split("_")[1]}
        assert re.search(r"active +read +first$", lines[first.split("_")[1]])
        assert re.search(r"revoked \d{4}-\d\d-\d\d .*second$", lines[second.split("_")[1]])
        assert not any(token.split("_", 2)[2] in str(lines) for token in (first, second))

    def test_a_revoked_token_is_good_for_nothing_and_cannot_be_revoked_again(self, run, tokens):
        token = tokens.create("t", [])
        client = token.split("_")[1]
        run("token", "revoke", client)
        with pytest.raises(Unauthenticated):
            tokens.authenticate(token)
        assert run("token", "revoke", client, expect=1).stderr == f"There is no active token '{client}'.\n"


class TestSend:
    def test_a_file_is_accepted_as_the_api_accepts_it_and_with_a_key_only_once(self, run, database):
        answer = json.loads(run("send", str(BOOKING), "--key", "k").stdout)
        assert answer.keys() == {"id", "state", "created_at", "expires_at"}
        assert json.loads(run("send", "-", "--key", "k", stdin=BOOKING.read_text()).stdout) == answer
        [stored] = database["notifications"].find()
        assert str(stored["_id"]) == answer["id"]
        assert stored["message"]["title"] == json.loads(BOOKING.read_text())["message"]["title"]

    def test_what_fcm_would_refuse_is_one_line_and_nothing_is_stored(self, run, database):
        payload = {"message": {"title": "t", "data": {"from": "x"}}, "users": ["u"]}
        done = run("send", "-", stdin=json.dumps(payload), expect=1)
        assert done.stderr == "message.data.from: Reserved by FCM.\n"
        assert database["notifications"].count_documents({}) == 0

    @pytest.mark.parametrize(
        ("payload", "complaint"),
        [
            ("title: Hello", "The body is not JSON in UTF-8.\n"),
            ('{"message": {"titel": "t"}, "users": ["u"]}', "message.titel: Unknown field."),
            ("[]", "body: Invalid input type.\n"),
        ],
    )
    def test_a_bad_payload_is_one_line(self, payload, complaint):
        done = invoke("send", "-", stdin=payload)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith(complaint)

    def test_a_file_that_is_not_there_is_named(self):
        done = invoke("send", "nowhere.json")
        assert done.exit_code == 2
        assert "nowhere.json" in done.stderr


class TestMigrate:
    def test_it_applies_what_is_missing_and_says_so_once(self, run, bare_database):
        first = run("migrate", NOTIFY_DATABASE=bare_database.name).stdout
        assert re.fullmatch(r"Applied: m0001_indexes.*\.\n", first)
        assert run("migrate", NOTIFY_DATABASE=bare_database.name).stdout == "The database is current.\n"

    def test_without_it_the_other_commands_say_what_to_do(self, run, bare_database):
        done = run("token", "list", expect=1, NOTIFY_DATABASE=bare_database.name)
        assert done.stderr.startswith("Run `notify-server migrate`")
        assert done.stderr.count("\n") == 1


class TestCheckConfig:
    def test_a_good_configuration_is_valid(self):
        done = invoke("check-config")
        assert (done.exit_code, done.stdout) == (0, "The configuration is valid.\n")

    def test_every_problem_is_named_at_once_with_exit_code_2(self):
        wrong = {
            "NOTIFY_PORT": "http",
            "NOTIFY_MONGODB_URI": "postgres://localhost",
            "NOTIFY_JWT_SECRET": "short-secret",
            "NOTIFY_FCM_ENDPOINT": "ftp://fcm",
            "NOTIFY_LEASE": "-1",
            "NOTIFY_LOG_FORMAT": "xml",
        }
        done = invoke("check-config", **wrong)
        assert (done.exit_code, named(done.stderr)) == (2, wrong.keys())
        assert "short-secret" not in done.stderr

    @pytest.mark.parametrize("command", [*PROCESSES, "migrate"])
    def test_nothing_starts_with_a_bad_one(self, command):
        done = invoke(command, NOTIFY_PORT="0", NOTIFY_REALTIME_PORT="70000")
        assert (done.exit_code, named(done.stderr)) == (2, {"NOTIFY_PORT", "NOTIFY_REALTIME_PORT"})


class TestErrors:
    def test_without_a_database_a_command_says_how_to_get_one(self, run, tmp_path):
        done = run("token", "list", expect=1, NOTIFY_MONGODB_URI="", NOTIFY_DATA_DIR=str(tmp_path))
        assert "NOTIFY_MONGODB_URI" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_uri_that_is_none_is_a_configuration_error_that_does_not_repeat_it(self, run):
        done = run("migrate", expect=2, NOTIFY_MONGODB_URI="mongodb://user:secret@[nonsense")
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr

    def test_the_directory_of_the_metrics_is_made(self, run, tmp_path):
        run("token", "list", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "run" / "metrics"))
        assert (tmp_path / "run" / "metrics").is_dir()

    def test_a_directory_of_the_metrics_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").touch()
        done = invoke("check-config", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file" / "metrics"))
        assert (done.exit_code, named(done.stderr)) == (2, {"PROMETHEUS_MULTIPROC_DIR"})

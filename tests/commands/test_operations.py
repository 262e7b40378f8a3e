import json
import re
from pathlib import Path

import pytest

from tests.command_line import invoke, named

SECRET = "a secret that is long enough for HS256"
BOOKING = Path(__file__).parents[2] / "examples" / "booking.json"


def test_a_file_is_accepted_as_the_api_accepts_it_and_with_a_key_only_once(run, database):
    answer = json.loads(run("send", str(BOOKING), "--key", "k").stdout)
    assert answer.keys() == {"id", "state", "created_at", "expires_at"}
    assert json.loads(run("send", "-", "--key", "k", stdin=BOOKING.read_text()).stdout) == answer
    [stored] = database["notifications"].find()
    assert str(stored["_id"]) == answer["id"]
    assert stored["message"]["title"] == json.loads(BOOKING.read_text())["message"]["title"]


def test_what_fcm_would_refuse_is_one_line_and_nothing_is_stored(run, database):
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
def test_a_bad_payload_is_one_line(payload, complaint):
    done = invoke("send", "-", stdin=payload)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(complaint)


def test_a_file_that_is_not_there_is_named():
    done = invoke("send", "nowhere.json")
    assert done.exit_code == 2
    assert "nowhere.json" in done.stderr


def test_it_applies_what_is_missing_and_says_so_once(run, bare_database):
    first = run("migrate", NOTIFY_DATABASE=bare_database.name).stdout
    assert re.fullmatch(r"Applied: m0001_indexes.*\.\n", first)
    assert run("migrate", NOTIFY_DATABASE=bare_database.name).stdout == "The database is current.\n"


def test_without_it_the_other_commands_say_what_to_do(run, bare_database):
    done = run("token", "list", expect=1, NOTIFY_DATABASE=bare_database.name)
    assert done.stderr.startswith("Run `notify-server migrate`")
    assert done.stderr.count("\n") == 1


def test_a_good_configuration_is_valid():
    done = invoke("check-config", NOTIFY_JWT_SECRET=SECRET)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "The configuration is valid.\n", "")


def test_a_configuration_that_takes_no_user_token_is_valid_and_says_so():
    done = invoke("check-config")
    assert (done.exit_code, done.stdout) == (0, "The configuration is valid.\n")
    assert done.stderr.startswith("Note: user tokens are not configured")
    assert invoke("check-config", NOTIFY_JWT_JWKS_URL="https://issuer.example/keys").stderr == ""


def test_every_problem_is_named_at_once_with_exit_code_2():
    wrong = {
        "NOTIFY_PORT": "http",
        "NOTIFY_MONGODB_URI": "postgres://localhost",
        "NOTIFY_JWT_SECRET": "short-secret",
        "NOTIFY_JWT_SECRET_PREVIOUS": "short-secret-before",
        "NOTIFY_JWT_JWKS_URL": "http://issuer.example/keys",
        "NOTIFY_FCM_ENDPOINT": "ftp://fcm",
        "NOTIFY_LEASE": "-1",
        "NOTIFY_LOG_FORMAT": "xml",
    }
    done = invoke("check-config", **wrong)
    assert (done.exit_code, named(done.stderr)) == (2, wrong.keys())
    assert "short-secret" not in done.stderr

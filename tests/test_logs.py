import json
import logging
from collections.abc import Iterator
from threading import Thread

import pytest
import structlog
from pymongo.errors import DuplicateKeyError

from notify_server import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_process_event_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", "worker")
    structlog.get_logger("notify_server.test").info("notification done", notification_id="n1")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["process"], told["event"], told["notification_id"]) == ("worker", "notification done", "n1")
    assert told["level"] == "info"
    assert told["timestamp"].endswith("Z")


def test_lines_of_libraries_and_of_other_threads_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", "web")
    thread = Thread(target=lambda: logging.getLogger("gunicorn.error").warning("from %s", "gunicorn"))
    thread.start()
    thread.join()
    told = json.loads(capsys.readouterr().err)
    assert (told["process"], told["event"], told["logger"]) == ("web", "from gunicorn", "gunicorn.error")


def test_an_exception_is_told_with_its_traceback_on_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", "web")
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("request failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: why" in json.loads(line)["exception"]


def test_a_traceback_leaves_out_what_mongodb_quotes_of_documents(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", "web")
    quoted = {"keyValue": {"target": "token:a-target"}}
    try:
        try:
            raise DuplicateKeyError("E11000 duplicate key error", 11000, quoted)
        except DuplicateKeyError:
            raise ValueError("why")  # noqa: B904 - the chain is what is tested
    except ValueError:
        structlog.get_logger().exception("request failed")
    told = json.loads(capsys.readouterr().err)["exception"]
    assert "a-target" not in told
    assert "DuplicateKeyError: (not shown) code 11000" in told
    assert "ValueError: why" in told


@pytest.mark.parametrize("library", ["uvicorn.error", "gunicorn.error"])
def test_servers_do_not_quote_requests_at_debug(capsys: pytest.CaptureFixture[str], library: str) -> None:
    logs.configure("debug", "json", "realtime")
    logging.getLogger(library).debug("< TEXT a token")
    logging.getLogger(library).info("Uvicorn running")
    told = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert told == ["logging configured", "Uvicorn running"]


def test_what_is_below_the_level_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "console", "web")
    structlog.get_logger().info("chatter")
    logging.getLogger("apscheduler.scheduler").info("chatter")
    assert capsys.readouterr().err == ""

import pytest
from flask import Flask

from notify_server.api.marks import Marks

MARKS, OTHERS = Marks[str]("__mark__"), Marks[str]("__other__")


@MARKS.put("x")
def marked() -> str:
    return ""


def bare() -> str:
    return ""


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__, static_folder=None)
    made.add_url_rule("/a", "a", marked)
    return made


def test_a_view_is_found_by_its_mark_of_that_kind(app: Flask) -> None:
    assert (MARKS.of(app, "a"), OTHERS.of(app, "a")) == ("x", None)
    MARKS.require(app, "Bare")


def test_views_without_a_mark_are_named_in_order(app: Flask) -> None:
    for name in ("c", "b"):
        app.add_url_rule(f"/{name}", name, bare)
    with pytest.raises(LookupError, match=r"^Bare: b, c$"):
        MARKS.require(app, "Bare")

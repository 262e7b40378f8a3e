import pytest

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message
from notify_server.domain.registry import Event, Note
from notify_server.services.acceptance import Draft
from notify_server.storage.registry import Arrivals, Registry
from tests.console.conftest import now
from tests.console.visitor import said


@pytest.fixture
def addressed(services, database):
    """A notification to a group of two, of whom one has read it."""
    services.membership.replace("class-101", "school-1", ["u1", "u2"])
    draft = Draft(Message("Hello"), Audience(groups=("class-101",)), category="news", community="school-1")
    made = services.acceptance.accept(draft, "backend", None)
    registry = Registry(database)
    registry.insert([Arrivals(made.id, "news", [Recipient(user, ["class-101"]) for user in ("u1", "u2")])], now())
    registry.move(Event.READ, {made.id: ["u1"]}, Note(now()))


def test_groups_are_compared_and_lead_to_their_page(admin, addressed):
    page = admin.get("/groups")
    assert "class-101 2 50.0 %" in said(page)
    assert '"/console/groups/class-101"' in page.text
    assert '"/console/categories/news"' in page.text


def test_without_any_it_says_so(admin):
    assert "No group was addressed in the last 30 days." in said(admin.get("/groups"))


@pytest.mark.parametrize(
    ("field", "path"),
    [("group=a b", "groups/a%20b"), ("community=c1", "communities/c1"), ("category=x", "categories/x")],
)
def test_looking_one_up_leads_there(admin, field, path):
    assert admin.get(f"/groups?{field}").location == f"/console/{path}"


@pytest.mark.parametrize("path", ["/groups/class-101", "/communities/school-1", "/categories/news"])
def test_each_has_its_figures(admin, addressed, path):
    text = said(admin.get(path))
    assert "Recipients 2" in text
    assert "Read rate 50.0 %" in text
    assert "Nothing was entered" not in text


def test_figures_of_a_group_are_narrowed_to_a_category(admin, addressed):
    assert "Nothing was entered for this group" in said(admin.get("/groups/class-101?category=other"))
    assert "Recipients 2" in said(admin.get("/groups/class-101?category=news&days=365"))


@pytest.mark.parametrize("path", ["/groups/nobody", "/communities/nowhere", "/groups/a%00b"])
def test_what_is_not_there_is_told(admin, path):
    assert admin.get(path).status_code == 404

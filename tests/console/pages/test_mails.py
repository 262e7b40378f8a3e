from itertools import count

import pytest

from notify_server.domain.mail import MailRecord, mail_id
from notify_server.domain.registry import Event, Reason, Status
from notify_server.domain.texts import Mail
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.documents import new_id
from notify_server.storage.mails import Mails, Recorded, content_id
from tests.builders import after
from tests.console.conftest import now
from tests.console.visitor import said

HTML = "<html><body style='color: red'><script>alert(1)</script><p>Monday <b>9:00</b></p></body></html>"


@pytest.fixture
def mailed(database, notify):
    """Makes the mail of a user; its id."""
    numbers = count()

    def make(user="ada", status=Status.SENT, notification=None, **fields):
        number = next(numbers)
        notification = notification or new_id(now())
        message = Mail(fields.pop("subject", f"Subject {number}"), "Monday <9:00>", fields.pop("html", HTML))
        name = content_id(notification, message)
        record = MailRecord(
            mail_id(notification, user), notification, user, Status.PENDING, now(), after(9e8), after(9e8),
            address=f"{user}@school.example", content=name, subject=message.subject, **fields,
        )  # fmt: skip
        mails = Mails(database)
        mails.say([(name, message)], after(9e8))
        mails.enter([record])
        said_of_it = {"reason": fields.get("reason"), "service": "smtp", "message_id": "<m@school.example>"}
        mails.record([Recorded(record.id, status, now(), 1, {name: said for name, said in said_of_it.items() if said})])
        return record.id

    return make


def test_mails_are_listed_the_newest_first_and_lead_to_their_pages(admin, mailed):
    first = mailed("ada", subject="Hello <Ada>")
    second = mailed("bob", Status.FAILED, reason=Reason.BAD_ADDRESS, action="ticket_purchased")
    page = admin.get("/mails")
    assert page.text.index(second) < page.text.index(first)
    text = said(page)
    assert "Hello <Ada> Sent ada" in text
    assert "Not delivered No such mailbox bob ticket_purchased 1" in text


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("recipient=ada", {"For ada"}),
        ("action=ticket_purchased", {"For bob"}),
        ("status=failed", {"For bob"}),
        ("from=2026-01-01&to=2099-01-01", {"For ada", "For bob"}),
        ("to=2026-01-01", set()),
    ],
)
def test_the_list_is_narrowed(admin, mailed, asked, shown):
    mailed("ada", subject="For ada")
    mailed("bob", Status.FAILED, subject="For bob", action="ticket_purchased", reason=Reason.MAIL_REJECTED)
    text = said(admin.get(f"/mails?{asked}"))
    assert {subject for subject in ("For ada", "For bob") if subject in text} == shown
    assert ("No mail is like that." in text) is not shown


def test_what_is_wrong_with_the_filter_is_told(admin, mailed):
    mailed()
    text = said(admin.get("/mails?from=yesterday&status=lost"))
    assert "Nothing was looked up" in text
    assert "Not a valid date." in text


def test_there_are_pages(admin, mailed):
    for number in range(52):
        mailed(f"user-{number:02}", subject=f"Number {number:02}.")
    first = admin.get("/mails")
    older = first.text.partition('">Older</a>')[0].rpartition('href="/console')[2].replace("&amp;", "&")
    second = admin.get(older)
    assert ("Number 51." in said(first), "Number 01." in said(first)) == (True, False)
    assert ("Number 51." in said(second), "Number 01." in said(second)) == (False, True)
    assert "Back to the newest" in said(second)
    assert "Number 51." in said(admin.get("/mails?cursor=nonsense"))


def test_without_mails_it_says_how_to_make_one(admin):
    assert "No mail has been made yet" in said(admin.get("/mails"))


def test_one_mail_is_told_in_words_with_what_became_of_it(admin, mailed, database):
    mail = mailed(category="news", template="welcome", locale="de")
    text = said(admin.get(f"/mails/{mail}"))
    assert "Sent The mail service has accepted the mail." in text
    assert "Address ada@school.example" in text
    assert "Template welcome (de)" in text
    assert "Service SMTP" in text
    assert "Message-ID <m@school.example>" in text
    Mails(database).move(mail, Event.RECEIVE, now())
    assert "Delivered The recipient's server has the mail." in said(admin.get(f"/mails/{mail}"))


def test_a_mail_that_failed_says_why_and_what_to_do(admin, mailed):
    mail = mailed(status=Status.PENDING, reason=Reason.CREDENTIAL_REFUSED)
    text = said(admin.get(f"/mails/{mail}"))
    assert "Not sent yet: the mail service refuses our credential" in text
    assert "Act now: no mail goes out." in text


def test_a_mail_that_may_have_gone_twice_says_so(admin, mailed):
    assert "it may have been sent twice" in said(admin.get(f"/mails/{mailed(doubtful=True)}"))
    assert "it may have been sent twice" not in said(admin.get(f"/mails/{mailed('bob')}"))


def test_its_html_is_in_a_frame_that_may_do_nothing(admin, mailed):
    mail = mailed()
    page = admin.get(f"/mails/{mail}")
    assert f'<iframe class="framed" sandbox src="/console/mails/{mail}/html"' in page.text
    assert "alert(1)" not in page.text
    assert "Monday &lt;9:00&gt;" in page.text
    framed = admin.get(f"/mails/{mail}/html")
    assert (framed.mimetype, framed.text) == ("text/html", HTML)
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "; sandbox;" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


def test_who_reads_a_mail_has_a_line_before_it_is_shown(admin, mailed, database, services):
    mail = mailed(subject="Your new password")
    for path in (f"/mails/{mail}", f"/mails/{mail}/html"):
        assert admin.get(path).status_code == 200
    lines = list(database["audit"].find({"action": "console.read_mail"}, sort=[("_id", 1)]))
    [token] = services.server_tokens.listed()
    assert [line["route"] for line in lines] == [f"GET /console/mails/{{mail_id}}{end}" for end in ("", "/html")]
    for line in lines:
        assert (line["actor"]["id"], line["object"]["id"], line["status"]) == (token["_id"], mail, 200)
        assert (line["fields"], line["address"]) == (["message"], "127.0.0.1")
        assert not {each for each in ("password", "Monday", "ada@") if each in str(line)}


def test_a_mail_that_is_not_there_or_only_listed_is_not_read(admin, mailed, database):
    mailed()
    admin.get("/mails")
    assert admin.get("/mails/nothing").status_code == 404
    assert database["audit"].count_documents({"action": "console.read_mail"}) == 0


def test_a_mail_of_text_alone_has_no_frame(admin, mailed):
    mail = mailed(html=None)
    assert "<iframe" not in admin.get(f"/mails/{mail}").text
    assert admin.get(f"/mails/{mail}/html").status_code == 404


def test_what_is_not_kept_any_more_is_told(admin, mailed, database):
    mail = mailed()
    database["mail_contents"].delete_many({})
    assert "What it said is not kept any more." in said(admin.get(f"/mails/{mail}"))
    assert admin.get(f"/mails/{mail}/html").status_code == 404
    assert admin.get("/mails/nothing").status_code == 404


def test_a_blocked_address_says_why_and_can_be_allowed_again(admin, mailed, database):
    mail = mailed(status=Status.SUPPRESSED, reason=Reason.ADDRESS_BLOCKED)
    blocked = BlockedAddresses(database)
    blocked.block("ada@school.example", Reason.BOUNCED, "5.1.1", now())
    assert "No notification is mailed to it any more: mail came back ( 5.1.1 )." in said(admin.get(f"/mails/{mail}"))
    refused = admin.post(f"/mails/{mail}/allow", {"form_token": "made up"})
    assert (refused.status_code, bool(blocked.among(["ada@school.example"]))) == (403, True)
    answer = admin.submit(f"/mails/{mail}", action=f"/mails/{mail}/allow")
    assert (answer.status_code, answer.location) == (303, f"/console/mails/{mail}")
    assert blocked.among(["ada@school.example"]) == {}
    assert "The address is blocked" not in said(admin.get(f"/mails/{mail}"))
    [line] = database["audit"].find({"action": "console.allow_address"})
    assert (line["object"]["id"], line["status"]) == (mail, 303)
    assert "ada@school.example" not in str(line)


def test_a_mail_without_an_address_cannot_be_allowed(admin, mailed, database):
    mail = mailed()
    database["mails"].update_one({"_id": mail}, {"$set": {"address": None}})
    assert admin.submit(f"/mails/{mail}", action=f"/mails/{mail}/allow").status_code == 404
    assert database["audit"].count_documents({"action": "console.allow_address"}) == 0


def test_the_page_of_a_user_tells_of_their_mails(admin, mailed, notify, services):
    services.people.put("ada", {"email": "ada@school.example"})
    identity = notify("ada", title="By mail")
    mail = mailed("ada", Status.PENDING, identity, reason=Reason.DEFERRED)
    for path in ("/users/ada", f"/users/ada?notification={identity}"):
        page = admin.get(path)
        assert "By mail: Not sent yet The mail server puts this recipient off" in said(page)
        assert f'href="/console/mails/{mail}"' in page.text
        assert "E-mail ada@school.example" in said(page)

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from notify_server.channels.mail import composition
from notify_server.domain.mail import Address, Letter
from notify_server.domain.notification import Attachment
from notify_server.domain.text import fault
from notify_server.domain.texts import Mail

SENDER = Address("notify@example.org", "Notify")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MIME = ("MIME-Version", "Content-Type", "Content-Transfer-Encoding")
HELLO = Mail("Hello", "First line\nSecond line", "<p>First line</p>")
ENCODED = ["=?utf-8?q?x=0D=0ABcc:_v@example.org=0D=0A=0D=0Aother?=", "=?utf-8?b?eA0KQmNjOiB2QGV4YW1wbGUub3JnDQoNCng=?="]
INJECTIONS = [
    *ENCODED,
    "x\r\nBcc: v@example.org",
    "x\nBcc: v@example.org",
    "x\rBcc: v@example.org",
    "x\u2028y",
    "x\x0by",
]


def parsed(*, mail=HELLO, to="a@example.org", reply_to=None, attachments=(), unsubscribe=None, sender=SENDER):
    written = composition.write(mail, sender, reply_to, composition.enclose(attachments))
    whole = composition.complete(written, Letter(to, "m1", unsubscribe=unsubscribe), NOON) + written.enclosed
    return whole, message_from_bytes(whole, policy=policy.default)


def test_a_mail_has_its_headers_once_and_both_bodies():
    _, message = parsed()
    assert {name: message.get_all(name) for name in ("From", "To", "Subject", "Message-ID", "Date")} == {
        "From": ["Notify <notify@example.org>"],
        "To": ["a@example.org"],
        "Subject": ["Hello"],
        "Message-ID": ["<m1@example.org>"],
        "Date": ["Fri, 20 Nov 2026 12:00:00 +0000"],
    }
    assert message.get_body(("plain",)).get_content().splitlines() == ["First line", "Second line"]
    assert message.get_body(("html",)).get_content().strip() == "<p>First line</p>"
    assert message.defects == []


@pytest.mark.parametrize("said", ["ü", "x", "Grüße, x = 1; ", "日本語", "\U0001f600", "\t \n", "a\r\n\rb"])
def test_lines_end_as_smtp_has_it_and_are_short_and_ascii(said):
    text = said * 300 + "\n.\n..\nend "
    files = (Attachment("größe.pdf", "application/pdf", b"." * 5000),)
    whole, message = parsed(mail=Mail("Grüße " * 30, text, f"<p>{text}</p>"), attachments=files)
    assert b"\n" not in whole.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in whole.split(b"\r\n"))
    assert whole.isascii()
    assert message["Subject"] == ("Grüße " * 30).strip() or message["Subject"] == "Grüße " * 30
    assert message.get_body(("plain",)).get_content().splitlines() == text.splitlines()
    assert message.get_body(("html",)).get_content().splitlines() == f"<p>{text}</p>".splitlines()
    assert message.defects == []


def test_attachments_are_encoded_once_for_all_mails():
    enclosed = composition.enclose((Attachment("a", "text/plain", b"x" * 100_000),))
    mails = [composition.write(Mail(str(number), "text"), SENDER, None, enclosed) for number in range(3)]
    assert all(mail.enclosed is enclosed.parts for mail in mails)
    assert all(len(mail.shared) < 1000 for mail in mails)
    assert composition.enclose(()) is None


def test_one_click_is_offered_with_both_headers():
    _, message = parsed(unsubscribe="https://notify.example.org/v1/unsubscribe/abc")
    assert message["List-Unsubscribe"] == "<https://notify.example.org/v1/unsubscribe/abc>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    long = "https://notify.example.org/v1/unsubscribe/" + "abcdefgh" * 180
    whole, message = parsed(unsubscribe=long)
    assert all(len(line) <= 998 for line in whole.split(b"\r\n"))
    assert message["List-Unsubscribe"].replace(" ", "") == f"<{long}>"
    _, message = parsed()
    assert (message["List-Unsubscribe"], message["List-Unsubscribe-Post"]) == (None, None)


def test_attachments_keep_names_types_and_bytes():
    files = (Attachment("größe.pdf", "application/pdf", bytes(range(256))),)
    _, message = parsed(attachments=files)
    [part] = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("größe.pdf", "application/pdf")
    assert part.get_payload(decode=True) == bytes(range(256))


def test_a_resend_has_an_id_of_its_own():
    written = composition.write(HELLO, SENDER, None)
    assert b"<m1.2@example.org>" in composition.complete(written, Letter("a@example.org", "m1", resends=2), NOON)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("place", ["subject", "reply_to", "sender", "name", "to", "file", "unsubscribe"])
def test_no_text_makes_a_header_of_its_own(text, place):
    """Either it is refused, or it stays within its header."""
    try:
        whole, message = parsed(
            mail=Mail(text if place == "subject" else "s", "b"),
            to=f"{text}@example.org" if place == "to" else "a@example.org",
            reply_to=f"{text}@example.org" if place == "reply_to" else None,
            sender=Address(
                f"{text}@example.org" if place == "sender" else "n@example.org", text if place == "name" else "N"
            ),
            attachments=(Attachment(text, "text/plain", b"1"),) if place == "file" else (),
            unsubscribe=text if place == "unsubscribe" else None,
        )
    except ValueError:
        return
    assert message["Bcc"] is None
    assert b"\r\nBcc:" not in whole.partition(b"\r\n\r\n")[0]


def test_most_injections_are_refused_rather_than_tamed():
    for text in INJECTIONS[2:5]:
        with pytest.raises(ValueError):  # noqa: PT011 - the email package has no error of its own
            composition.write(Mail(text, "b"), SENDER, None)
        with pytest.raises(ValueError, match="one line"):
            composition.mailbox(Address("a@example.org", text))


@given(st.text(max_size=120))
@example("Family \U0001f468\u200d\U0001f469\u200d\U0001f467 day")
@example("می\u200cخواهم")
@example("a\u200e b\u200f c\u00add")
@example("new: \U0001fae9\U0001fadc")
def test_what_the_api_takes_as_one_line_is_written_as_subject_and_as_senders_name(text):
    assume(text and fault(text, lines=False) is None and "=?" not in text)
    whole, message = parsed(mail=Mail(text, "b"), sender=Address("n@example.org", text))
    assert str(make_header(decode_header(message_from_bytes(whole)["Subject"]))).strip() == text.strip()
    assert message["From"].addresses[0].addr_spec == "n@example.org"
    assert set(message.keys()) == {"To", "Message-ID", "Date", "Subject", "From", "Auto-Submitted", *MIME}


@pytest.mark.parametrize("to", ["ada@schüle.example", "ada@xn--schle-mva.example"])
def test_domains_of_other_scripts_are_written_in_ascii(to):
    _, message = parsed(to=to, sender=Address("n@schüle.example", "Schüle"), reply_to="r@schüle.example")
    assert message["To"] == "ada@xn--schle-mva.example"
    assert message["From"].addresses[0].addr_spec == "n@xn--schle-mva.example"
    assert message["Reply-To"] == "r@xn--schle-mva.example"
    assert message["Message-ID"] == "<m1@xn--schle-mva.example>"


@pytest.mark.parametrize("to", ["a.b+c@example.org", "'x'@example.org", '"a b"@example.org', "=?@example.org?="])
def test_the_short_way_of_writing_an_address_writes_the_same(to, monkeypatch):
    def written():
        try:
            return composition.complete(composition.write(HELLO, SENDER, None), Letter(to, "m1"), NOON).partition(
                b"\r\n"
            )[0]
        except ValueError:
            return None

    short = written()
    monkeypatch.setattr(composition, "_PLAIN_ADDRESS", composition.re.compile("(?!)"))
    assert short == written()


def test_a_domain_is_written_in_ascii_and_a_local_part_that_is_not_is_refused():
    assert composition.ascii_address("ada@schüle.example") == "ada@xn--schle-mva.example"
    for address in ("ä@example.org", "example.org", "@example.org", "a@"):
        with pytest.raises(ValueError, match="address"):
            composition.ascii_address(address)


@pytest.mark.parametrize("address", ["a@b@c", "a b@c", "@", "a@[", '"@c', "a@.c", "<a@b>", "a@b,c@d", "(", "a@(b"])
def test_what_is_no_address_is_a_value_error(address):
    with pytest.raises(ValueError):  # noqa: PT011 - the email package has several errors of its own
        composition.mailbox(Address(address))

import base64

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.mailed_notification import MAX_ATTACHED, EmailSchema
from notify_server.domain.notification import Attachment

PDF = {"name": "ticket.pdf", "type": "application/pdf", "content": base64.b64encode(b"%PDF").decode()}


def test_an_attachment_is_decoded():
    loaded = EmailSchema().load({"reply_to": "help@example.org", "attachments": [PDF]})
    assert loaded == {
        "reply_to": "help@example.org",
        "attachments": [Attachment("ticket.pdf", "application/pdf", b"%PDF")],
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "../etc/passwd"}, "name"),
        ({"name": "a\r\nb"}, "name"),
        ({"name": ""}, "name"),
        ({"type": "multipart/mixed"}, "type"),
        ({"type": "message/rfc822"}, "type"),
        ({"type": "text/plain; x=y"}, "type"),
        ({"type": "text/plain\r\nx: y"}, "type"),
        ({"content": "not base64!"}, "content"),
        ({"content": "größe"}, "content"),
        ({"name": "=?utf-8?q?x?="}, "name"),
        ({"content": ""}, "content"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_attachment_is_refused_by_its_field(change, field):
    with pytest.raises(ValidationError) as caught:
        EmailSchema().load({"attachments": [PDF | change]})
    assert caught.value.messages["attachments"][0].keys() == {field}


def test_all_together_have_a_limit():
    half = base64.b64encode(b"x" * (MAX_ATTACHED // 2)).decode()
    files = [PDF | {"content": half}, PDF | {"content": half}]
    assert len(EmailSchema().load({"attachments": files})["attachments"]) == 2
    with pytest.raises(ValidationError, match="may have"):
        EmailSchema().load({"attachments": [*files, PDF]})
    with pytest.raises(ValidationError):
        EmailSchema().load({"attachments": [PDF] * 11})


@pytest.mark.parametrize(
    "address", ["nobody", "a@b@c", "a@example.org\r\nBcc: v@example.org", "ä@example.org", "x" * 250 + "@example.org"]
)
def test_an_address_for_answers_is_one(address):
    with pytest.raises(ValidationError):
        EmailSchema().load({"reply_to": address})

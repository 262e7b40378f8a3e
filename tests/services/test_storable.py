"""Whatever is accepted fits into a document of the database, with all that is added to it later."""

import bson
import pytest

from notify_server.domain.notification import Attachment, Audience, Channel
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.errors import InvalidInput
from notify_server.services import storable
from notify_server.storage.notification_document import to_document
from tests.builders import a_notification

MIB = 1024 * 1024
LARGEST = 16 * MIB  # of MongoDB
FILES = tuple(Attachment(f"{n}.pdf", "application/pdf", b"x" * (MIB // 10)) for n in range(10))
TEXTS = Texts("t", 1, "en", {f"l{n}": Text("t" * 1024, "b" * 4096) for n in range(20)})


def users(letter, length, count=50_000):
    return Audience(tuple(f"{n:06}{letter * (length - 6)}" for n in range(count)))


def mails(letter, characters):
    return {f"l{n}": Mail("s", letter * (characters // 20)) for n in range(20)}


def test_the_largest_payload_of_ids_of_letters_is_taken_with_files_and_mails():
    made = a_notification(
        audience=users("x", 128), attachments=FILES, texts=TEXTS, mails=mails("m", 2_000_000), channels=(Channel.EMAIL,)
    )
    storable.check(made)
    assert len(bson.encode(to_document(made))) < LARGEST - MIB


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"audience": users("日", 128)}, "users"),
        ({"audience": users("x", 128), "mails": mails("日", 2_300_000), "texts": TEXTS, "attachments": FILES}, "users"),
        ({"audience": users("x", 100), "mails": mails("\U0001f600", 2_400_000), "texts": TEXTS}, "template"),
        ({"audience": users("x", 100), "mails": mails("\U0001f600", 2_400_000), "action": "a"}, "action"),
    ],
)
def test_what_would_not_fit_is_refused_by_its_largest_part(fields, path):
    with pytest.raises(InvalidInput) as caught:
        storable.check(a_notification(**fields))
    assert caught.value.errors.keys() == {path}


@pytest.mark.parametrize("letter", ["x", "é", "日", "\U0001f600"])
def test_all_that_is_taken_fits(letter):
    for length in (64, 96, 112, 128):
        made = a_notification(audience=users(letter, length), attachments=FILES, mails=mails(letter, 1_000_000))
        try:
            storable.check(made)
        except InvalidInput:
            continue
        assert len(bson.encode(to_document(made))) < LARGEST - MIB

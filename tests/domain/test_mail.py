from notify_server.domain.mail import Letter, digest, mail_id, message_id
from notify_server.domain.texts import Mail

N = "6b007bddabf10665a8c867db"


def test_the_id_of_a_mail_sorts_by_its_notification_and_does_not_name_its_recipient():
    made = mail_id(N, "ada@school")
    assert made == mail_id(N, "ada@school")
    assert made.startswith(N)
    assert len(made) == 40
    assert made.isalnum()
    assert len({mail_id(N, user) for user in ("a", "b", "")} | {mail_id(N[::-1], "a")}) == 4


def test_each_attempt_has_the_same_message_id_and_a_resend_another_one():
    assert message_id(Letter("a@b", "m1"), "Notify <n@example.org") == "<m1@example.org>"
    assert message_id(Letter("a@b", "m1", resends=1), "n@example.org") == "<m1.1@example.org>"


def test_mails_that_say_the_same_have_one_digest():
    assert digest(Mail("s", "t", "h")) == digest(Mail("s", "t", "h"))
    said = [Mail("s", "t", "h"), Mail("s", "th"), Mail("st", "h"), Mail("s", "t"), Mail("s", "t", "h2")]
    assert len({digest(mail) for mail in said}) == 5


def test_nothing_personal_is_shown_by_accident():
    assert "a@b" not in repr(Letter("a@b", "m1"))

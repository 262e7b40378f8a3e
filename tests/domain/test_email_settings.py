from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Security


def test_a_password_belongs_to_all_that_says_where_it_goes():
    server = SmtpServer("mail", 587, Security.STARTTLS, "notify", "secret")
    assert server.target == SmtpServer("mail", 587, Security.STARTTLS, "notify", "other").target
    others = [
        SmtpServer("mail2", 587, Security.STARTTLS, "notify"),
        SmtpServer("mail", 25, Security.STARTTLS, "notify"),
        SmtpServer("mail", 587, Security.NONE, "notify"),
        SmtpServer("mail", 587, Security.STARTTLS, "root"),
    ]
    assert all(other.target != server.target for other in others)


def test_no_secret_is_shown_by_accident():
    server = SmtpServer("mail", 587, Security.TLS, "notify", "secret")
    assert "secret" not in repr(server)
    assert "secret" not in repr(EmailSettings(smtp=server, sendgrid_key="secret"))

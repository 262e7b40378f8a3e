from notify_server.storage.settings import Settings
from tests.builders import NOON, after


def test_settings_are_replaced_as_a_whole_and_only_by_who_knows_them(database):
    settings = Settings(database)
    assert settings.get("email") is None
    assert settings.put("email", {"service": "smtp"}, 0, NOON)
    assert not settings.put("email", {"service": "sendgrid"}, 0, NOON)
    assert not settings.put("email", {"service": "sendgrid"}, 2, NOON)
    assert settings.get("email") == {"service": "smtp", "version": 1, "updated_at": NOON}
    assert settings.put("email", {"service": "disabled"}, 1, after(1))
    assert settings.get("email") == {"service": "disabled", "version": 2, "updated_at": after(1)}

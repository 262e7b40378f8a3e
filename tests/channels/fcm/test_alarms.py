from structlog.testing import capture_logs

from notify_server.channels.fcm.alarms import sound_alarms
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason


def test_each_kind_of_trouble_is_said_once_with_its_number() -> None:
    lost = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
    provider = Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)
    with capture_logs() as logs:
        sound_alarms([ACCEPTED, lost, provider, lost], "curl 7: refused")
    assert {(entry["event"], entry["messages"], entry["detail"]) for entry in logs} == {
        ("fcm_connection_lost", 2, "curl 7: refused"),
        ("fcm_provider_credential_refused", 1, "curl 7: refused"),
    }


def test_what_the_recipients_answer_for_is_no_alarm() -> None:
    with capture_logs() as logs:
        sound_alarms([ACCEPTED, Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)])
    assert logs == []

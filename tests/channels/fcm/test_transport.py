from contextlib import closing

import pytest

from notify_server.channels.fcm.curl import CurlTransport
from notify_server.channels.fcm.sdk import SdkTransport
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.errors import ConfigurationError


@pytest.mark.parametrize(("name", "kind"), [("curl", CurlTransport), ("sdk", SdkTransport)])
def test_the_configuration_names_the_transport(name: str, kind: type) -> None:
    with closing(open_transport(Config(fcm_transport=name))) as transport:
        assert isinstance(transport, kind)


def test_the_sdk_is_not_let_loose_on_google_in_place_of_another_endpoint() -> None:
    with pytest.raises(ConfigurationError) as error:
        open_transport(Config(fcm_transport="sdk", fcm_endpoint="https://127.0.0.1:8002"))
    assert error.value.problems[0].startswith("NOTIFY_FCM_ENDPOINT")

"""Which transport is in use."""

from notify_server.channels.fcm.credential import Credential
from notify_server.channels.fcm.curl import CurlTransport
from notify_server.channels.fcm.sdk import SdkTransport
from notify_server.config import Config
from notify_server.domain.push import PushTransport


def open_transport(config: Config) -> PushTransport:
    """The push transport that `config.fcm_transport` names. It connects to nothing before the first send."""
    if config.fcm_transport == "sdk":
        return SdkTransport(config)
    return CurlTransport(config, Credential(config.fcm_ca_file))

"""Which transport is in use."""

from notify_server.channels.fcm.credential import Credential
from notify_server.channels.fcm.curl import CurlTransport
from notify_server.channels.fcm.sdk import SdkTransport
from notify_server.config import FCM_ENDPOINT, Config
from notify_server.domain.push import PushTransport
from notify_server.errors import ConfigurationError


def open_transport(config: Config) -> PushTransport:
    """The push transport that `config.fcm_transport` names. It connects to nothing before the first send.

    Raises ConfigurationError for the SDK with an endpoint of its own: it would send to Google's all the same.
    """
    if config.fcm_transport == "sdk":
        if config.fcm_endpoint != FCM_ENDPOINT:
            raise ConfigurationError(["NOTIFY_FCM_ENDPOINT: only NOTIFY_FCM_TRANSPORT=curl can send elsewhere."])
        return SdkTransport(config)
    return CurlTransport(config, Credential(config.fcm_ca_file))

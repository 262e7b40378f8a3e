from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.gateway.server import Channels
from notify_server.processes.websocket import WebSocketProtocol, settings
from notify_server.storage.documents import Store


def test_the_sockets_are_served_where_and_as_configured(config: Config, database: Store) -> None:
    """That a stuck client is dropped is in tests/gateway/test_outgoing.py."""
    door = Channels(build_gateway(config, database), config.poll).door
    made = settings(config, door)
    assert (made.host, made.port, made.app, made.ws) == ("127.0.0.1", 8001, door, WebSocketProtocol)
    assert made.ws_max_size == 16 * 1024

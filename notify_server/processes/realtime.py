"""The realtime process: every user's private channel, over Socket.IO."""

import socketio
import uvicorn

from notify_server.config import Config


def run(config: Config) -> None:
    """Serve until a signal."""
    server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])
    app = socketio.ASGIApp(server)
    uvicorn.run(app, host=config.host, port=config.realtime_port, log_config=None)

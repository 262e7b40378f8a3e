"""What answers late for nginx: a little HTTP/1.1 server that takes its time with each request."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LateAnswers:
    """Serves `body` from threads of this process, on `port`; `stop` ends it. Each answer takes `seconds`."""

    def __init__(self, body: bytes, seconds: float) -> None:
        class _Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Accept the message, and say so later."""
                self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(seconds)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

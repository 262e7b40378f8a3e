from collections.abc import Callable

import httpx
import pytest

from tests.gateway.serving import Serving

Serve = Callable[..., Serving]


@pytest.fixture
def ask(serve: Serve) -> Callable[..., httpx.Response]:
    url = f"http://127.0.0.1:{serve().port}"
    return lambda path, method="GET": httpx.request(method, url + path)


def test_a_living_process_says_so(ask: Callable[..., httpx.Response]) -> None:
    assert ask("/healthz").json() == {"status": "alive"}
    assert ask("/readyz").json() == {"status": "ready"}


def test_its_own_metrics_are_there(ask: Callable[..., httpx.Response]) -> None:
    answer = ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE notify_realtime_")}
    assert families >= {"notify_realtime_connections", "notify_realtime_emit_seconds", "notify_realtime_refused_total"}


def test_long_polling_is_refused_and_told_why(ask: Callable[..., httpx.Response]) -> None:
    for method in ("GET", "POST"):
        answer = ask("/socket.io/?EIO=4&transport=polling", method)
        assert answer.status_code == (400 if method == "GET" else 405)
    assert "WebSocket only" in ask("/socket.io/?EIO=4&transport=polling").json()["message"]


def test_nothing_else_is_there(ask: Callable[..., httpx.Response]) -> None:
    assert ask("/").status_code == 404
    assert ask("/metrics/x").status_code == 404

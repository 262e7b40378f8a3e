import os
import socket

import pytest

from notify_server.simulator.connections import sever


@pytest.mark.parametrize(("host", "form"), [("127.0.0.1", "127.0.0.1:{}"), ("::1", "[::1]:{}")])
def test_the_connection_with_that_peer_ends_and_no_other(host: str, form: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, 0), family=family) as listener,
        socket.create_connection(listener.getsockname()[:2]) as doomed,
        socket.create_connection(listener.getsockname()[:2]) as spared,
    ):
        accepted = [listener.accept()[0] for _ in range(2)]
        assert sever(form.format(doomed.getsockname()[1]))
        assert doomed.recv(1) == b""
        accepted[1].sendall(b"x")
        assert spared.recv(1) == b"x"
        for connection in accepted:
            connection.close()


def test_an_unknown_peer_is_reported_and_no_descriptor_leaks() -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert not sever("127.0.0.1:1")
    assert len(os.listdir("/proc/self/fd")) == before

"""The mail catcher as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.processes.free_ports import free_ports


@contextmanager
def running_catcher() -> Iterator[tuple[int, str]]:
    """A running catcher: its port of SMTP, and the URL of its list without the path."""
    smtp, http = free_ports(2)
    told = {"NOTIFY_CATCHER_SMTP_PORT": str(smtp), "NOTIFY_CATCHER_PORT": str(http)}
    process = subprocess.Popen(
        [sys.executable, "-m", "notify_server.cli", "catcher"], env=os.environ | told, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{http}"
    try:
        while True:
            try:
                httpx.get(f"{url}/mails")
                break
            except httpx.ConnectError:
                assert process.poll() is None
                time.sleep(0.05)
        yield smtp, url
    finally:
        process.terminate()
        ended = process.wait(20)
    assert ended in (0, -15)

"""An HTTPS proxy that leads every CONNECT, whatever host it names, to one port of this machine.

firebase-admin always calls https://fcm.googleapis.com. Behind this proxy it reaches a stand-in, unmodified and by
public settings alone: HTTPS_PROXY, and REQUESTS_CA_BUNDLE for a stand-in whose certificate bears that name.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

FCM_HOST = "fcm.googleapis.com"
_CHUNK = 65_536  # bytes


class ConnectProxy:
    """The proxy as a process of its own; `stop` ends it, as leaving the context does."""

    def __init__(self, target_port: int, command: tuple[str, ...] = ()) -> None:
        """Begin to lead to `target_port`; `command` goes before the proxy's own, to pin it to a core, say."""
        self._process = subprocess.Popen(
            [*command, sys.executable, __file__, str(target_port)], stdout=subprocess.PIPE, text=True
        )
        output = self._process.stdout
        if output is None:
            raise RuntimeError("the proxy has no output")
        with output:
            self.port = int(output.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def environment(
        self, ca_file: str | os.PathLike[str], credentials_file: str | os.PathLike[str]
    ) -> Mapping[str, str]:
        """What leads firebase-admin to the stand-in."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "NO_PROXY": "",
            "REQUESTS_CA_BUNDLE": os.fspath(ca_file),
            "GOOGLE_APPLICATION_CREDENTIALS": os.fspath(credentials_file),
        }

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.wait()


async def _serve(target_port: int) -> None:
    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", target_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, onward_writer), _pump(onward_reader, writer))

    server = await asyncio.start_server(lead, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))

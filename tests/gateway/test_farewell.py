import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from notify_server.gateway.farewell import UNHURRIED, say
from notify_server.gateway.limits import End


def said(reason: End, waits: int = 0, *, is_gone: bool = False) -> tuple[list[MutableMapping[str, Any]], int]:
    """What is sent, and how often it was asked whether all is written: it is so after `waits` times."""
    sent: list[MutableMapping[str, Any]] = []
    asked = 0

    async def send(message: MutableMapping[str, Any]) -> None:
        if is_gone:
            raise OSError
        sent.append(message)

    def written() -> bool:
        nonlocal asked
        asked += 1
        return asked > waits

    asyncio.run(say(reason, send, written))
    return sent, asked


@pytest.mark.parametrize("reason", End)
def test_the_close_has_a_code_and_a_reason_and_comes_last(reason: End) -> None:
    sent, _ = said(reason)
    assert sent[-1] == {"type": "websocket.close", "code": reason.code, "reason": reason.value}


def test_who_is_still_there_is_told_before() -> None:
    [told, _], _ = said(End.TOO_SLOW)
    assert json.loads(told["text"][2:]) == ["gateway:closing", {"reason": "too slow", "reconnect_in_ms": 1000}]
    assert len(said(End.STOPPING)[0]) == len(said(End.NOT_CONNECTED)[0]) == 1


def test_where_nobody_is_at_fault_what_waits_is_written_first() -> None:
    assert [said(reason, waits=3)[1] for reason in UNHURRIED] == [4, 4]
    assert said(End.TOO_SLOW, waits=3)[1] == 0


def test_a_connection_that_is_gone_needs_no_words() -> None:
    assert said(End.ERASED, is_gone=True) == ([], 0)

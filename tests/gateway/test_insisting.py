import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from notify_server.errors import DatabaseUnavailable
from notify_server.gateway.insisting import insist

THREAD = ThreadPoolExecutor(1)


def test_it_asks_again_until_the_database_is_back() -> None:
    answers = [DatabaseUnavailable("away"), DatabaseUnavailable("away"), "found"]

    def ask(what: str) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return f"{answer} {what}"

    assert asyncio.run(insist(THREAD, ask, "it", pause=0.01)) == "found it"


def test_any_other_error_passes() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(insist(THREAD, fail, pause=0.01))

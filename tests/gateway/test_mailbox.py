import asyncio

import pytest

from notify_server.gateway.mailbox import Mailbox


def test_items_come_in_their_order_whether_the_reader_waits_or_not() -> None:
    async def read() -> list[int]:
        box = Mailbox[int]()
        waiting = box.get()
        for number in range(4):
            box.put_nowait(number)
        await box.put(4)
        return [await waiting, await box.get(), box.get_nowait(), await box.get(), await box.get()]

    assert asyncio.run(read()) == [0, 1, 2, 3, 4]


def test_an_empty_one_says_so() -> None:
    box = Mailbox[int]()
    assert box.empty()
    with pytest.raises(asyncio.QueueEmpty):
        box.get_nowait()
    box.put_nowait(1)
    assert not box.empty()
    assert (box.get_nowait(), box.empty()) == (1, True)


def test_a_reader_that_gave_up_takes_nothing_with_it() -> None:
    async def read() -> int:
        box = Mailbox[int]()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(box.get(), 0.001)
        box.put_nowait(1)
        return await asyncio.wait_for(box.get(), 1)

    assert asyncio.run(read()) == 1


def test_join_waits_until_all_has_been_got() -> None:
    async def read() -> bool:
        box = Mailbox[int]()
        await box.join()  # at once
        box.put_nowait(1)
        joined = asyncio.create_task(box.join())
        await asyncio.sleep(0.05)
        early = joined.done()
        box.get_nowait()
        box.task_done()
        await asyncio.wait_for(joined, 5)
        return early

    assert asyncio.run(read()) is False

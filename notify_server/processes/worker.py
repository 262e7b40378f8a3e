"""The worker process: expands audiences and dispatches batches. Run as many as you like, on any machine."""

from contextlib import suppress
from functools import partial

import structlog

from notify_server.bootstrap import Engine, build_engine
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.batch import SIZE, Rank
from notify_server.domain.notification import Channel
from notify_server.errors import DatabaseUnavailable
from notify_server.processes.collector import spare_the_collector
from notify_server.processes.loop import Loop
from notify_server.processes.readiness import await_database
from notify_server.processes.signals import await_stop, until_stopped
from notify_server.services.briefs import Briefs
from notify_server.services.crowds import Crowds
from notify_server.services.feeding import PATIENCE, Feeding
from notify_server.services.handoff import Handoff
from notify_server.services.load import Load
from notify_server.services.rotation import Rotation
from notify_server.storage.documents import Store
from notify_server.storage.signals import Work, heard

log = structlog.get_logger()

_FROM_QUEUE = 4  # every so many loads, a dispatcher looks at the queue first
_MAILERS = 2  # batches of mails in hand: while one waits for its last answers, the other goes on
_MAIL_LOOK = 0.25  # seconds between two looks for mails that find none: a call wakes all mailers, for what one can do
_MAIL_PACE = 2.0  # seconds between two looks at their pace
_LOOK = 0.5  # seconds between two looks at the pace that all workers share


class Worker:
    """The threads of one worker: two expand, some dispatch, some mail, one settles what is answered late, one listens
    for new work, one renews leases, and one paces each channel.

    One of those that expand, and one more that dispatches, and one that mails, see to what is for few alone: it need
    not wait until a thread is done with a page of a broadcast, and no stream of it holds a broadcast up.
    """

    def __init__(self, config: Config, database: Store, engine: Engine) -> None:
        self._config = config
        self._database = database
        self._delivery = engine.delivery
        self._leasing = engine.leasing
        self._governor = engine.governor
        self._taken = 0
        self._renew_in = config.lease / 3  # seconds
        self._crowds = Crowds()
        self._handoff = Handoff(room=2 * config.worker_threads)
        rotation, briefs, leasing = Rotation(engine.expansion), Briefs(engine.expansion), engine.leasing
        large = Feeding(rotation, self._handoff, leasing, self._patience)
        small = Feeding(briefs, self._handoff, leasing, busy=lambda: not rotation.idle or bool(self._crowds))
        self._expanders = [
            Loop("expander", partial(large.feed, config.poll)),
            Loop("express-expander", partial(small.feed, config.poll)),
        ]
        self._dispatchers = [Loop(f"dispatcher-{n}", self._dispatch) for n in range(config.worker_threads)]
        self._express = Loop("express", self._dispatch_small)
        self._late = Loop("late", partial(self._delivery.settle_late, config.poll))
        self._listener = Loop("listener", self._listen)
        self._renewer = Loop("renewer", self._renew)
        self._pacer = Loop("pacer", self._pace)
        self._mailing = engine.mailing
        self._mail_governor = engine.mail_governor
        self._mailers = [Loop(f"mailer-{n}", self._mail) for n in range(_MAILERS)]
        self._mailers.append(Loop("express-mailer", partial(self._mail, least=Rank.PROMPT)))
        self._mail_pacer = Loop("mail-pacer", self._pace_mail)
        self._senders = [self._express, *self._dispatchers, *self._mailers]
        self._pacers = [self._pacer, self._mail_pacer]
        self._loops = [self._listener, self._renewer, self._late, *self._pacers, *self._expanders, *self._senders]

    def start(self) -> None:
        """Begin to work, among those who do."""
        with suppress(DatabaseUnavailable):
            self._governor.refresh()
            self._mail_governor.refresh()
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Finish the batches in hand, whose leases are renewed meanwhile, and give everything else back.

        Of mails, those are finished that are on their way.
        """
        for loop in (self._listener, *self._pacers, *self._expanders, *self._senders):
            loop.stop()
        self._mailing.stop()
        self._handoff.wake()
        self._governor.stop()
        self._mail_governor.stop()
        for loop in (*self._expanders, *self._senders):
            loop.join()
        self._late.stop()
        self._delivery.wake()
        self._late.join()
        self._delivery.finish()
        self._renewer.stop()
        self._let_go()
        self._leasing.resign()
        for loop in (self._renewer, *self._pacers, self._listener):
            loop.join()
        self._governor.leave()
        self._mail_governor.leave()
        self._mailing.close()

    def _dispatch(self) -> None:
        if self._governor.paused:
            self._let_go()
            self._pacer.stopping.wait(_LOOK)
        elif load := self._next():
            with self._crowds.counting(load):
                self._delivery.deliver(load)
        else:
            self._handoff.wait(self._config.poll)

    def _let_go(self) -> None:
        """Leave what nobody has begun with to any worker, who reads then to whom it still goes."""
        while load := self._handoff.take():
            self._leasing.release(load)

    def _patience(self) -> float:
        """Seconds that a page of a large audience waits for a dispatcher of ours.

        Others may have what exceeds our part of the rate: pages come to them twice as fast as all may send them.
        """
        return PATIENCE if self._governor.alone else min(PATIENCE, SIZE / self._config.fcm_rate / 2)

    def _next(self) -> Load:
        """What our own expander made, unless something in the queue comes before that."""
        least = self._before_ours()
        if least is not None and (load := self._lease(least)):
            return load
        return self._handoff.take() or self._lease()

    def _before_ours(self) -> Rank | None:
        """The least urgent rank that the queue is asked for first; None: it is not asked.

        Every fourth time anything, as what is tried again would starve. Where pages are for others, too, those of an
        urgent broadcast may wait there, while our own are already of the next one.
        """
        self._taken += 1
        if self._taken % _FROM_QUEUE == 0:
            return Rank.BULK
        return Rank.HIGH if not self._governor.alone and self._handoff.first is Rank.BULK else None

    def _lease(self, least: Rank = Rank.BULK) -> Load:
        load = self._leasing.take(least=least)
        if load:
            self._handoff.wake_another()
        return load

    def _dispatch_small(self) -> None:
        if self._governor.paused:
            self._pacer.stopping.wait(_LOOK)
        elif load := self._handoff.take(small=True) or self._leasing.take(least=Rank.PROMPT):
            self._delivery.deliver(load)
        else:
            self._handoff.wait_for_small(self._config.poll)

    def _listen(self) -> None:
        for work in heard(self._database):
            if work:
                self._handoff.wake(work)
            if self._listener.stopping.is_set():
                return

    def _pace(self) -> None:
        self._governor.rest(_LOOK)
        if not self._pacer.stopping.is_set():
            self._governor.refresh()

    def _mail(self, *, least: Rank = Rank.BULK) -> None:
        calls = self._handoff.calls(Work.EMAIL)
        if self._mailing.paused:
            self._mail_pacer.stopping.wait(_LOOK)
        elif load := self._leasing.take(least=least, channel=Channel.EMAIL):
            self._mailing.mail(load)
        else:
            self._mail_pacer.stopping.wait(_MAIL_LOOK)
            self._handoff.wait_for_call(Work.EMAIL, calls, self._config.poll)

    def _pace_mail(self) -> None:
        self._mail_governor.rest(_MAIL_PACE)
        if not self._mail_pacer.stopping.is_set():
            self._mail_governor.refresh()

    def _renew(self) -> None:
        if not self._renewer.stopping.wait(self._renew_in):
            self._renew_in = 0.0  # where it fails, the loop rests for a second, and leases may not last for more
            self._leasing.renew()
            self._renew_in = self._config.lease / 3


def run(config: Config) -> int:
    """Work until a signal; returns the exit code."""
    stopped = until_stopped()
    spare_the_collector()
    database = await_database(config, stopped)
    if database is None:
        return 0
    transport = open_transport(config)
    worker = Worker(config, database, build_engine(config, database, transport))
    worker.start()
    log.info("worker started", threads=config.worker_threads)
    await_stop(stopped)
    log.info("worker stopping")
    with suppress(DatabaseUnavailable):
        worker.stop()
    transport.close()
    database.client.close()
    return 0

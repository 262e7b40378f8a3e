"""The scheduler process: what time brings about. Run as many as you like; one leads."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from notify_server.bootstrap import (
    build_cancellation,
    build_counting,
    build_erasing,
    build_hygiene,
    build_mail_upkeep,
    build_resending,
    build_retirement,
    build_upkeep,
)
from notify_server.config import Config
from notify_server.errors import DatabaseUnavailable
from notify_server.processes.collector import spare_the_collector
from notify_server.processes.loop import Loop
from notify_server.processes.readiness import await_database
from notify_server.processes.signals import await_stop, until_stopped
from notify_server.services.leadership import Leadership
from notify_server.services.upkeep import Upkeep

log = structlog.get_logger()

_LOOK = 0.2  # seconds between two looks at what is scheduled: it may have been accepted since the last one


def run(config: Config) -> int:
    """Run the jobs until a signal; returns the exit code."""
    stopped = until_stopped()
    database = await_database(config, stopped)
    if database is None:
        return 0
    leadership, upkeep = build_upkeep(config, database)
    sweep, queue = build_cancellation(database).sweep, build_resending(database).queue
    erase, clean = build_erasing(database).complete_erasures, build_hygiene(config, database).remove_devices
    counting, retire = build_counting(config, database), build_retirement(config, database).retire
    mails = build_mail_upkeep(database).expire_mails
    jobs = (upkeep.resend, upkeep.expire, upkeep.reap, sweep, queue, erase, clean, counting.count, retire, mails)
    spare_the_collector()
    scheduler = _scheduler(config, leadership, jobs, {counting.count: counting.stand_by})
    loops = [_releaser(upkeep), _warden(scheduler, config.scheduler_interval)]
    scheduler.start()
    for loop in loops:
        loop.start()
    log.info("scheduler started", interval=config.scheduler_interval)
    await_stop(stopped)
    log.info("scheduler stopping")
    for loop in loops:
        loop.stop()
    scheduler.shutdown(wait=True)
    for loop in loops:
        loop.join()
    with suppress(DatabaseUnavailable):
        leadership.resign()
    database.client.close()
    return 0


def _scheduler(
    config: Config,
    leadership: Leadership,
    jobs: tuple[Callable[[], int], ...],
    otherwise: Mapping[Callable[[], int], Callable[[], None]],
) -> BackgroundScheduler:
    """Runs each of `jobs` at the configured interval; or what is to be done instead of it while another leads.

    Each has a thread of its own: in a pool, every thread in turn would come to keep what the largest job needs.
    """
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_executor(ThreadPoolExecutor(1), job.__name__)
        scheduler.add_job(
            _led(leadership, job, otherwise.get(job)),
            "interval",
            seconds=config.scheduler_interval,
            id=job.__name__,
            name=job.__name__,
            executor=job.__name__,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    return scheduler


def _warden(scheduler: BackgroundScheduler, interval: float) -> Loop:
    """Plans the jobs anew when the machine's clock was set back: they would wait until it has caught up."""

    def look() -> None:
        loop.stopping.wait(interval)
        far = datetime.now(UTC) + timedelta(seconds=2 * interval)
        for job in scheduler.get_jobs():
            if job.next_run_time > far:
                job.reschedule("interval", seconds=interval)

    loop = Loop("warden", look)
    return loop


def _releaser(upkeep: Upkeep) -> Loop:
    """Releases what is scheduled as its time comes. Every scheduler does: one that is late or dead delays nothing."""

    def release() -> None:
        seconds = upkeep.until_release()
        if seconds > 0:
            loop.stopping.wait(min(seconds, _LOOK))
        else:
            upkeep.release()

    loop = Loop("releaser", release)
    return loop


def _led(
    leadership: Leadership, job: Callable[[], int], otherwise: Callable[[], None] | None = None
) -> Callable[[], None]:
    """`job`, run only while we lead, and tried again at the next turn when the database is away."""

    def led() -> None:
        try:
            if leadership.held():
                job()
            elif otherwise is not None:
                otherwise()
        except DatabaseUnavailable as error:
            log.warning("database unavailable", job=job.__name__, problem=str(error))

    return led

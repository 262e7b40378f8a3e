"""The scheduler process: what time brings about. Run as many as you like; one leads."""

from collections.abc import Callable
from contextlib import suppress

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from notify_server.bootstrap import build_upkeep
from notify_server.config import Config
from notify_server.errors import DatabaseUnavailable
from notify_server.processes.readiness import await_database
from notify_server.processes.signals import until_stopped
from notify_server.services.leadership import Leadership

log = structlog.get_logger()


def run(config: Config) -> int:
    """Run the jobs until a signal; returns the exit code."""
    stopped = until_stopped()
    database = await_database(config, stopped)
    if database is None:
        return 0
    leadership, upkeep = build_upkeep(config, database)
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in (upkeep.release, upkeep.resend, upkeep.expire, upkeep.reap):
        scheduler.add_job(
            _led(leadership, job),
            "interval",
            seconds=config.scheduler_interval,
            id=job.__name__,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    scheduler.start()
    log.info("scheduler started", interval=config.scheduler_interval)
    stopped.wait()
    log.info("scheduler stopping")
    scheduler.shutdown(wait=True)
    with suppress(DatabaseUnavailable):
        leadership.resign()
    database.client.close()
    return 0


def _led(leadership: Leadership, job: Callable[[], int]) -> Callable[[], None]:
    """`job`, run only while we lead, and tried again at the next turn when the database is away."""

    def led() -> None:
        try:
            if leadership.held():
                job()
        except DatabaseUnavailable as error:
            log.warning("database unavailable", job=job.__name__, problem=str(error))

    return led

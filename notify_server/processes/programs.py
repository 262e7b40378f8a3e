"""The programs that `up` runs, and how supervisord is told to run them (its manual, "Configuration File")."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_RETRIES = 30  # starts in a row that fail within a second; the waits between them grow by a second each

_HEAD = """\
[supervisord]
nodaemon=true
silent=true
nocleanup=true
pidfile={run}/supervisord.pid
logfile={run}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
[unix_http_server]
file={socket}
chmod=0600
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
_PROGRAM = """\
[program:{name}]
command={command}
process_name={name}_%(process_num)d
numprocs={count}
environment={environment}
priority={priority}
autostart=false
autorestart=true
startsecs=1
startretries={retries}
stopsignal=TERM
stopwaitsecs={stop_within}
killasgroup=true
redirect_stderr=true
stdout_logfile={output}
stdout_logfile_maxbytes=0
"""


@dataclass(frozen=True)
class Program:
    """One line of the Procfile. `stop_within` is in seconds, then SIGKILL; a `quiet` one's output is dropped."""

    name: str
    command: Sequence[str]
    count: int = 1
    stop_within: int = 40
    quiet: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def configuration(programs: Sequence[Program], run_dir: Path, socket: Path) -> str:
    """supervisord's configuration: programs start when told to, and stop in the reverse of their order here."""
    parts = [_HEAD.format(run=_escape(str(run_dir)), socket=_escape(str(socket)))]
    for priority, program in enumerate(programs, start=1):
        parts.append(
            _PROGRAM.format(
                name=program.name,
                command=_escape(shlex.join(program.command)),
                count=program.count,
                environment=",".join(f'{name}="{_escape(value)}"' for name, value in program.environment.items()),
                priority=priority,
                retries=_RETRIES,
                stop_within=program.stop_within,
                output="NONE" if program.quiet else "/dev/stdout",
            )
        )
    return "".join(parts)


def _escape(value: str) -> str:
    return value.replace("%", "%%")

import configparser
from pathlib import Path

from notify_server.processes.programs import Program, configuration


def parsed(*programs: Program) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(programs, Path("/data/100%/run"), Path("/tmp/s.sock")))
    return parser


def test_programs_get_ascending_priorities_so_that_the_last_one_stops_first():
    parser = parsed(Program("mongod", ["mongod"]), Program("worker", ["w"], count=3), Program("web", ["w"]))
    assert [parser[f"program:{name}"]["priority"] for name in ("mongod", "worker", "web")] == ["1", "2", "3"]
    assert parser["program:worker"]["numprocs"] == "3"


def test_spaces_and_percent_signs_survive():
    parser = parsed(Program("web", ["/a b/python", "50%"], environment={"A": "1%"}))
    assert parser["program:web"]["command"] == "'/a b/python' 50%%"
    assert parser["program:web"]["environment"] == 'A="1%%"'
    assert parser["supervisord"]["pidfile"] == "/data/100%%/run/supervisord.pid"


def test_the_output_of_a_quiet_program_is_dropped():
    parser = parsed(Program("mongod", ["mongod"], quiet=True), Program("web", ["w"]))
    assert parser["program:mongod"]["stdout_logfile"] == "NONE"
    assert parser["program:web"]["stdout_logfile"] == "/dev/stdout"


def test_nothing_listens_but_a_socket_of_the_owner():
    parser = parsed()
    assert "inet_http_server" not in parser
    assert parser["unix_http_server"]["chmod"] == "0600"

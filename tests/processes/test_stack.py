import resource

import pytest

from notify_server.config import Config
from notify_server.errors import ConfigurationError
from notify_server.processes import stack
from notify_server.processes.interrupts import Interrupts
from tests.processes.free_ports import free_ports


@pytest.fixture
def interrupts():
    return Interrupts(kill=lambda: None)


def test_the_simulator_starts_before_the_workers_and_the_api_comes_last():
    programs = stack._processes(Config(worker_processes=3), simulator=True, catcher=True)
    names = ["simulator", "catcher", "worker", "scheduler", "realtime", "web"]
    assert [program.name for program in programs] == names
    assert [program.count for program in programs] == [1, 1, 3, 1, 1, 1]


def test_with_a_firebase_project_and_a_mail_service_nothing_stands_in():
    programs = stack._processes(Config(fcm_project="real"), simulator=False, catcher=False)
    assert [program.name for program in programs] == ["worker", "scheduler", "realtime", "web"]


def test_only_the_simulator_is_not_told_of_the_ca_file_that_it_makes():
    programs = stack._processes(Config(), simulator=True, catcher=False)
    assert [dict(program.environment) for program in programs] == [{"NOTIFY_FCM_CA_FILE": ""}, {}, {}, {}, {}]


def test_nothing_is_made_when_a_port_is_taken(tmp_path, interrupts):
    port = free_ports(1)[0]
    with pytest.raises(ConfigurationError, match="NOTIFY_REALTIME_PORT"):
        stack.Stack(Config(data_dir=tmp_path, port=port, realtime_port=port), interrupts)
    assert list(tmp_path.iterdir()) == []


def test_the_limit_of_open_files_is_raised_as_far_as_this_user_may():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        stack._raise_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

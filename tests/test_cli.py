"""The command line as a whole; its commands are tested in tests/commands."""

from tests.command_line import COMMANDS, invoke, listed, named


def test_help_lists_the_contracts_commands():
    assert listed(invoke("--help").stdout) == COMMANDS
    assert listed(invoke("token", "--help").stdout) == {"create", "list", "rotate", "revoke"}


def test_every_command_explains_itself():
    for command in COMMANDS:
        done = invoke(command, "--help")
        assert (done.exit_code, done.stdout[:6]) == (0, "Usage:")


def test_a_directory_of_the_metrics_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    done = invoke("check-config", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file" / "metrics"))
    assert (done.exit_code, named(done.stderr)) == (2, {"PROMETHEUS_MULTIPROC_DIR"})

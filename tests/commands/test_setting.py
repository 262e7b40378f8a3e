"""What every command does first."""


def test_without_a_database_a_command_says_how_to_get_one(run_anew, tmp_path):
    done = run_anew("token", "list", expect=1, NOTIFY_MONGODB_URI="", NOTIFY_DATA_DIR=str(tmp_path))
    assert "NOTIFY_MONGODB_URI" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_uri_that_is_none_is_a_configuration_error_that_does_not_repeat_it(run_anew):
    done = run_anew("migrate", expect=2, NOTIFY_MONGODB_URI="mongodb://user:secret@[nonsense")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_the_directory_of_the_metrics_is_made(run_anew, tmp_path):
    run_anew("token", "list", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "run" / "metrics"))
    assert (tmp_path / "run" / "metrics").is_dir()

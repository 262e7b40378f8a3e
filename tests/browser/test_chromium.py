"""A suite that skips every test of the browser looks like one that has passed: where it is needed it must fail."""

import pytest

from tests.chromium import path


def test_without_a_browser_tests_are_skipped_but_not_where_one_is_required(tmp_path):
    nowhere = {"PATH": str(tmp_path)}
    with pytest.raises(pytest.skip.Exception):
        path(nowhere)
    with pytest.raises(pytest.fail.Exception, match="there is no Chromium here"):
        path({**nowhere, "NOTIFY_CHROMIUM_REQUIRED": "1"})


def test_one_that_is_named_comes_first_then_that_of_the_system(tmp_path):
    installed = tmp_path / "chromium"
    installed.write_text("")
    installed.chmod(0o755)
    assert path({"PATH": str(tmp_path)}) == str(installed)
    assert path({"PATH": str(tmp_path), "NOTIFY_CHROMIUM": "/opt/chrome"}) == "/opt/chrome"

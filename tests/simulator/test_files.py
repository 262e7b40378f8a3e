from pathlib import Path

import pytest

from notify_server.simulator.files import write


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_content_and_mode_and_leaves_no_draft(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    write(path, b"old", 0o644)
    write(path, b"new", mode)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == mode
    assert list(tmp_path.iterdir()) == [path]

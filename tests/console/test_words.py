"""What the console says is what docs/registry.md says."""

import re
from pathlib import Path

import pytest

from notify_server.console import words
from notify_server.domain.registry import Reason, Status

DOCUMENT = (Path(__file__).parents[2] / "docs" / "registry.md").read_text()


def plain(text):
    """Without markup, as a sentence."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("*", "").strip()
    return text[0].upper() + text[1:].rstrip(".") + "."


def rows(heading):
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {line[0].strip("`"): line for line in lines}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_means_what_the_documentation_says(reason):
    assert words.REASONS[reason].means == plain(rows("Reasons")[reason][2])


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words(status):
    assert words.STATUSES[status].short
    assert words.STATUSES[status].means.endswith(".")


def test_of_an_entry_its_reason_is_told_first_of_all():
    assert words.of("pending", "no_device").short == "Not sent yet: no device"
    assert words.of("pending", "quota_exceeded").short == "Not sent yet: FCM's quota exceeded"
    assert words.of("pending", None) is words.WAITING
    assert words.of("sent", None) is words.STATUSES[Status.SENT]
    assert words.of("failed", "unregistered").do

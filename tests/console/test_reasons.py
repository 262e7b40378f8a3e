"""What the console says of reasons is what docs/registry.md says."""

import re
from pathlib import Path

import pytest

from notify_server.console.reasons import OF_MAILS, REASONS
from notify_server.domain.registry import Reason

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
    assert REASONS[reason].means == plain(rows("Reasons")[reason][2])


def test_what_fcm_and_mail_services_both_say_is_said_of_a_mail_in_its_own_words():
    said = DOCUMENT.partition("\nOf a mail, ")[2].partition(" say the same of the mail service")[0]
    assert set(OF_MAILS) == set(re.findall("`([a-z_]+)`", said))
    assert all("mail" in words.means for words in OF_MAILS.values())
    assert not any("FCM" in words.short + words.means + words.do for words in OF_MAILS.values())

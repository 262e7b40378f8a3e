import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.locales import lookup, normal

LANGUAGES = st.sampled_from(["de", "en", "fr", "zh"])
SUBTAGS = st.lists(st.sampled_from(["AT", "CH", "Hant", "1996", "x", "u", "co"]), max_size=3)
TAGS = st.builds(lambda language, rest: "-".join([language, *rest]), LANGUAGES, SUBTAGS)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-AT", "de-AT"),
        ("DE_at", "de-AT"),
        ("de-CH", "de"),
        ("de-CH-1996", "de"),
        ("de-AT-x-private", "de-AT"),
        ("en-GB", "en"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh", None),  # what is there is for another script
        ("fr", None),
        ("d", None),
    ],
)
def test_the_nearest_is_found_by_less_and_less_of_the_tag(wanted, found):
    assert lookup(wanted, ["en", "de", "de-AT", "zh-Hant"]) == found


@pytest.mark.parametrize(
    ("tag", "usual"),
    [("DE", "de"), ("de_at", "de-AT"), ("ZH-hANT-tw", "zh-Hant-TW"), ("sl-ROZAJ-biske", "sl-rozaj-biske"), ("", "")],
)
def test_a_tag_has_one_spelling(tag, usual):
    assert normal(tag) == usual
    assert normal(usual) == usual


@given(TAGS, st.lists(TAGS, max_size=6))
def test_what_is_found_is_offered_and_begins_the_wanted_tag(wanted, offered):
    offered = [normal(tag) for tag in offered]
    found = lookup(wanted, offered)
    prefixes = [tag for tag in offered if f"{normal(wanted)}-".startswith(f"{tag}-")]
    if found is None:
        assert all(tag.split("-")[-1:] and len(tag.split("-")[-1]) == 1 for tag in prefixes)
    else:
        assert found in prefixes
        assert all(len(tag) <= len(found) or len(tag.split("-")[-1]) == 1 for tag in prefixes)


@given(TAGS)
def test_a_tag_is_the_nearest_to_itself_however_it_is_spelled(tag):
    assert lookup(tag.replace("-", "_").upper(), [normal(tag), "en"]) == normal(tag)

from datetime import datetime

import pytest

from notify_server.domain.user_fields import UserField, mark
from notify_server.services.formats import ARGUMENTS, EFFORT, FILTERS, LOCALE, Unfit
from notify_server.services.sandbox import Sandbox

AT = datetime.fromisoformat("2026-12-01T10:05:00+01:00")
VALUES = {
    "at": AT,
    "price": 1234.5,
    "count": 1000000,
    "currency": "EUR",
    "name": " Ada ",
    "items": ["a", "b"],
    "empty": [],
    "none": None,
    "url": "a b/c?d=ä&e",
    "mixed": ["a", None, 2, True, AT],
    "objects": [{"a": 1}],
    "long": "x" * 4097,
}


def shown(source, locale="en"):
    return (
        Sandbox(html=False)
        .from_string(source)
        .render(VALUES | {LOCALE: locale})
        .replace("\u202f", " ")
        .replace("\xa0", " ")
    )


@pytest.mark.parametrize(
    ("source", "english", "german"),
    [
        ("{{ at | date }}", "December 1, 2026", "1. Dezember 2026"),
        ("{{ at | time }}", "10:05 AM", "10:05"),
        ("{{ at | datetime }}", "December 1, 2026, 10:05 AM", "1. Dezember 2026, 10:05"),
        ("{{ at }}", "December 1, 2026, 10:05 AM", "1. Dezember 2026, 10:05"),
        ("{{ price | money(currency) }}", "€1,234.50", "1.234,50 €"),
        ("{{ price | number }}", "1,234.5", "1.234,5"),
        ("{{ count | number }}", "1,000,000", "1.000.000"),
    ],
)
def test_times_and_numbers_are_shown_as_the_locale_has_them(source, english, german):
    assert (shown(source, "en"), shown(source, "de")) == (english, german)
    assert shown(source, "de-XX-x-nothing") == german
    assert shown(source, "xx") == english


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ name | trim | upper }}{{ name | trim | lower }}", "ADAada"),
        ("{{ items | join }}/{{ items | join('+') }}/{{ items | length }}", "a, b/a+b/2"),
        ("{{ mixed | join('/') }}", "a//2/true/December 1, 2026, 10:05 AM"),
        ("{{ none | upper }}{{ none | trim }}{{ none | truncate(3) }}{{ none | urlencode }}", ""),
        ("{{ long | truncate(3) }}{{ long | trim | length }}", "xx…4097"),
        ("{{ items | first }}{{ items | last }}{{ empty | first }}{{ empty | last }}", "ab"),
        ("{{ none | default('x') }}{{ name | default('x') }}", "x Ada "),
        ("{{ url | urlencode }}", "a%20b%2Fc%3Fd%3D%C3%A4%26e"),
        ("{{ url | truncate(5) }}|{{ url | truncate(50) }}", "a b/…|a b/c?d=ä&e"),
        (
            "{{ none }}{{ none | date }}{{ none | time }}{{ none | datetime }}{{ none | number }}{{ none | money(1) }}",
            "",
        ),
    ],
)
def test_the_other_filters(source, text):
    assert shown(source) == text


@pytest.mark.parametrize(
    "source",
    [
        *("{{ name | date }}", "{{ name | number }}", "{{ at | number }}", "{{ name | join }}", "{{ count | time }}"),
        *("{{ items }}", "{{ objects | join }}", "{{ objects | first }}", "{{ items | upper }}", "{{ items | trim }}"),
        *("{{ long | upper }}", "{{ long | lower }}", "{{ long | urlencode }}"),
    ],
)
def test_a_filter_refuses_what_is_not_for_it(source):
    with pytest.raises(Unfit):
        shown(source)


def test_a_field_of_the_user_in_a_url_is_quoted_when_it_is_known():
    source = Sandbox(html=False).from_string("{{ x | urlencode }}")
    assert source.render({"x": mark(UserField.ID), LOCALE: "en"}) == mark(UserField.ID, quoted=True)


def test_arguments_are_counted_for_filters_that_there_are():
    assert ARGUMENTS.keys() | EFFORT.keys() <= FILTERS.keys()

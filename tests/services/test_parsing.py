import pytest

from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.errors import InvalidInput
from notify_server.services.parsing import MAX_SOURCE, MAX_STEPS, parse

VARIABLES = {
    "name": Variable(VariableType.STRING),
    "link": Variable(VariableType.URL),
    "items": Variable(VariableType.LIST),
}


def content(**parts):
    return Content("en", {"en": Source(**({"title": "T"} | parts))}, VARIABLES)


def faults(given):
    with pytest.raises(InvalidInput) as refusal:
        parse(given)
    return refusal.value.errors


def test_each_part_of_each_locale_is_compiled():
    source = Source("{{ name }}", "B", "S", "<p>", "t")
    parsed = parse(Content("en", {"en": source, "de": source}, VARIABLES, link="{{ link }}", data={"a": "{{ name }}"}))
    assert {locale: sorted(parts) for locale, parts in parsed.locales.items()} == {
        "en": ["body", "html", "subject", "text", "title"],
        "de": ["body", "html", "subject", "text", "title"],
    }
    assert sorted(parsed.shared) == ["data.a", "link"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("one\n{{ nmae }}", "Line 2: Uses 'nmae', which `variables` does not declare."),
        ("{% if %}", "Line 1: Expected an expression, got 'end of statement block'"),
        ("a\nb\n{{ name", "Line 3: unexpected end of template, expected 'end of print statement'."),
        ("{% for x in name %}{{ x }}{% endfor %}", "Line 1: Only a list can be looped over; string is none."),
        ("{% for name in items %}{{ name }}{% endfor %}", "Line 1: A loop needs a name of its own"),
        ("{{ name | nothing }}", "Line 1: There is no filter 'nothing'"),
        ("{{ name is divisibleby }}", "Line 1: There is no test 'divisibleby'"),
        ("{{ user }}", "Line 1: What is the user's own is written {{ user.FIELD }}"),
        ("{{ user.password }}", "Line 1: What is the user's own is written"),
        ("{% if user.id %}x{% endif %}", "Line 1: What is the user's own is written"),
        ("{{ user.id | upper }}", "Line 1: What is the user's own is written"),
        ("{{ '\\ue000' }}", "Line 1: Must not contain U+E000"),
        ("a\u202eb", "Must not contain U+202E"),
        ("   ", "Must not be empty."),
        ("x" * (MAX_SOURCE["body"] + 1), "Is longer than 8192 characters."),
        ("{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}", "Line 1: Cannot be compiled"),
    ],
)
def test_a_fault_names_locale_part_and_line(body, fault):
    found = faults(content(body=body))
    assert found.keys() == {"locales.en.body"}
    assert found["locales.en.body"][0].startswith(fault)


def test_the_names_of_a_loop_and_the_fields_of_the_user_need_no_declaration():
    body = "{% for item in items %}{{ loop.index }} {{ item.x }}{% endfor %} {{ user.id }} {{ user.id | urlencode }}"
    assert parse(content(body=body)).locales["en"]["body"]


def test_several_faults_are_told_at_once():
    given = Content("en", {"en": Source("{{ a }}", "{{ b }}\n{{ c }}"), "de": Source("{{ d }}", "ok")}, VARIABLES)
    found = faults(given)
    assert found.keys() == {"locales.en.title", "locales.en.body", "locales.de.title"}
    assert len(found["locales.en.body"]) == 2


@pytest.mark.parametrize(
    ("english", "german", "paths"),
    [
        (Source("a", "b"), Source("a"), ["locales.de.body"]),
        (Source("a"), Source("a", "b"), ["locales.de.body"]),
        (Source(subject="s", text="t"), Source(subject="s", text="t"), ["locales.en"]),
        (Source("a", html="<p>"), Source("a", html="<p>"), ["locales.en.text"]),
        (Source(body="b", text="t"), Source(body="b", text="t"), ["locales.en.subject"]),
    ],
)
def test_locales_have_the_same_parts_and_mails_their_halves(english, german, paths):
    assert sorted(faults(Content("en", {"en": english, "de": german}))) == paths


def test_all_sources_together_have_a_limit():
    source = Source("T", html="x" * 131_000, text="t")
    locales = dict.fromkeys(("en", "de", "fr", "it", "es", "pt", "nl", "pl"), source)
    assert faults(Content("en", locales)).keys() == {"locales"}


def test_the_default_locale_is_one_of_them():
    assert faults(Content("fr", {"en": Source("a")})).keys() == {"default_locale"}


def test_html_shows_nothing_where_escaping_does_not_help():
    found = faults(content(html='<p>\n<a href="{{ name }}">', text="t"))
    assert found["locales.en.html"][0].startswith("Line 2: An address begins with")
    assert parse(content(html='<a href="{{ link }}">{{ name }}</a>', text="t"))
    assert parse(content(text='<a href="{{ name }}">'))


@pytest.mark.parametrize(
    ("loop", "allowed"), [("{{ 1 | money(x) }}" * 19, True), ("{{ 1 | money(x) }}" * 21, False), ("x" * 9000, True)]
)
def test_a_source_that_would_take_long_to_render_is_refused(loop, allowed):
    given = content(text="{% for x in items %}" + loop + "{% endfor %}")
    if allowed:
        assert parse(given)
    else:
        found = faults(given)["locales.en.text"][0]
        assert found.startswith("Line 1: Takes up to 21")
        assert MAX_STEPS == 200_000
        assert "of at most 200,000" in found


def test_a_time_counts_where_it_is_shown_also_without_a_filter():
    loop = "{% for x in items %}" + "{{ at }}" * 21 + "{% endfor %}"
    given = Content("en", {"en": Source("T", text=loop)}, VARIABLES | {"at": Variable(VariableType.DATETIME)})
    assert faults(given)["locales.en.text"][0].startswith("Line 1: Takes up to 21")


def test_all_sources_together_must_not_take_long_either():
    source = Source("T", text="{% for x in items %}" + "{{ 1 | money(x) }}" * 18 + "{% endfor %}")
    tags = ("en", "de", "fr", "it", "es", "pt", "nl", "pl", "sv", "da", "fi", "nb")
    assert parse(Content("en", dict.fromkeys(tags[:10], source), VARIABLES))
    [found] = faults(Content("en", dict.fromkeys(tags, source), VARIABLES))["locales"]
    assert found.startswith("Takes up to 2,")


def test_many_spaces_before_a_variable_are_read_once():
    """A pattern that looks at each of them again took 0.4 s for these, and a minute for a whole source."""
    html = "<a href=" + " " * 100_000 + '"{{ link }}">' + "<" * 20_000
    assert parse(content(html=html, text="t"))


@pytest.mark.parametrize("path", ["link", "image", "data.a"])
def test_what_is_the_same_for_all_has_nothing_of_a_user(path):
    given = {"data": {"a": "{{ user.id }}"}} if path == "data.a" else {path: "{{ user.id }}"}
    assert faults(Content("en", {"en": Source("T")}, **given)).keys() == {path}

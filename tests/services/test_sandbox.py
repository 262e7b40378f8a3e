"""What a template cannot do: each attack is refused where the template is read."""

import pytest
from jinja2 import UndefinedError

from notify_server.services.formats import LOCALE, Unfit
from notify_server.services.sandbox import MAX_DEPTH, Sandbox, effort, faults

PLAIN, HTML = Sandbox(html=False), Sandbox(html=True)
REFUSED = {
    "a long loop": "{% for i in range(10**9) %}x{% endfor %}",
    "a call": "{{ x() }}",
    "a method": "{{ x.upper() }}",
    "format, which reads attributes": "{{ '{0.__class__}'.format(x) }}",
    "format as a filter": "{{ '%s' | format(x) }}",
    "attributes by filter": "{{ x | attr('__class__') }}",
    "the way to all classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an attribute of Python's": "{{ x.__class__ }}",
    "an item": "{{ x['__class__'] }}",
    "an escaped underscore": "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "a bomb of multiplication": "{{ 'x' * 10**9 }}",
    "a power": "{{ 9**9**9 }}",
    "a sum": "{{ x + x }}",
    "a concatenation": "{{ x ~ x }}",
    "doubling by assignment": "{% set x = x ~ x %}{{ x }}",
    "a block of assignment": "{% set x %}{{ x }}{{ x }}{% endset %}",
    "a namespace": "{% set n = namespace(a=1) %}",
    "loops within loops": "{% for a in x %}{% for b in x %}{{ b }}{% endfor %}{% endfor %}",
    "a recursive loop": "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "a loop over what is written there": "{% for a in [1, 2] %}{{ a }}{% endfor %}",
    "a loop over a filter": "{% for a in x | list %}{{ a }}{% endfor %}",
    "a loop over pairs": "{% for a, b in x %}{{ a }}{% endfor %}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}",
    "an include": "{% include 'secret' %}",
    "an import": "{% import 'secret' as s %}",
    "an ancestor": "{% extends 'secret' %}",
    "a block": "{% block a %}{% endblock %}",
    "escaping switched off": "{% autoescape false %}{{ x }}{% endautoescape %}",
    "what is safe by its own word": "{{ x | safe }}",
    "the template": "{{ self }}",
    "the context": "{{ self._TemplateReference__context }}",
    "what a loop knows besides": "{% for a in x %}{{ loop.previtem }}{% endfor %}",
    "wide padding": "{{ x | center(1000000000) }}",
    "an indent": "{{ x | indent(1000000000) }}",
    "replacing little by much": "{{ x | replace('a', x) }}",
    "a dictionary": "{{ {'a': 1} }}",
    "a slice": "{{ x[0:9] }}",
    "a filter with arguments by name": "{{ x | join(d=x) }}",
    "a filter with too many arguments": "{{ x | upper(1) }}",
    "joined texts that join": "{{ x | join(x | join(x)) }}",
    "a variable that joins": "{{ x | join(x) }}",
    "a long constant that joins": "{{ x | join('" + "y" * 17 + "') }}",
    "a number that joins": "{{ x | join(1) }}",
    "a filter that takes a filter": "{{ x | default(x | upper) }}",
    "a filter that takes a condition": "{{ x | default(x if x else x) }}",
    "a block of a filter": "{% filter upper %}{{ x }}{% endfilter %}",
    "a test that calls": "{{ x is divisibleby(0) }}",
    "the locale that we keep there": "{{ _locale }}",
    "a number as long as a book": "{{ 1" + "0" * 400 + " }}",
    "depth": "{{ " + "not " * (MAX_DEPTH + 1) + "x }}",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_could_run_long_grow_large_or_reach_out_is_refused(source):
    assert list(faults(HTML.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["{{ x | join(' — ') }}", "{{ x | default(y) }}", "{% for a in x %}{{ a.price | money(a.currency) }}{% endfor %}"],
)
def test_a_filter_takes_constants_and_variables(source):
    assert list(faults(PLAIN.parse(source))) == []


@pytest.mark.parametrize(
    ("source", "least", "most"),
    [
        ("x" * 9999, 1, 10),
        ("{{ x | upper }}", 10, 20),
        ("{{ x | money('EUR') }}", 100, 120),
        ("{% for a in x %}{{ a | money('EUR') }}{% endfor %}", 10_000, 11_000),
        ("{% for a in x %}{% if a == x %}y{% endif %}{% endfor %}", 2000, 3000),
        ("{% if a " + "== a " * 9 + "%}y{% endif %}", 180, 220),
        ("{{ at }}", 100, 120),
        ("{{ at if at else 'x' }}{{ x | default(at) }}", 300, 340),
        ("{% if at %}y{% endif %}", 1, 10),
        ("{% for a in x %}{{ at }}{% endfor %}", 10_000, 11_000),
        ("{% for a in x %}y{% else %}{{ y | upper }}{% endfor %}", 1000, 2000),
    ],
)
def test_what_a_template_does_is_told_before_it_is_run(source, least, most):
    assert least <= effort(PLAIN.parse(source), {"at"}) <= most


def test_a_fault_has_its_line():
    assert list(faults(PLAIN.parse("a\n{{ x }}\n{{ x() }}"))) == [(3, "Must not use calls.")]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Hello {{ name }}!", "Hello {{ 7*7 }}<b>!"),
        ("{% if count > 1 %}many{% elif count == 1 %}one{% else %}none{% endif %}", "many"),
        (
            "{% for item in items %}{{ loop.index }}:{{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1:a, 2:b",
        ),
        ("{{ missing }}{{ missing | default('nobody') }}", "nobody"),
        ("{{ 'yes' if count is even and name else 'no' }}", "yes"),
        ("{{ yes }}", "true"),
    ],
)
def test_what_templates_are_for(source, shown):
    values = {"name": "{{ 7*7 }}<b>", "count": 2, "items": [{"name": "a"}, {"name": "b"}], "missing": None, "yes": True}
    assert not list(faults(PLAIN.parse(source)))
    assert PLAIN.from_string(source).render(values | {LOCALE: "en"}) == shown


@pytest.mark.parametrize("test", ["even", "odd"])
@pytest.mark.parametrize("value", ["%99999d", "x", None, True, [1]])
def test_only_a_number_is_even_or_odd(test, value):
    """To Python, a text before % is a format, of any width that it names."""
    with pytest.raises(Unfit):
        PLAIN.from_string(f"{{{{ 'y' if x is {test} else 'n' }}}}").render({"x": value, LOCALE: "en"})


@pytest.mark.parametrize("test", ["even", "odd"])
def test_a_constant_text_is_not_formatted_where_a_template_is_read(test):
    """Jinja works out what is constant as it compiles; what no test takes is left to rendering, which refuses it."""
    with pytest.raises(Unfit):
        PLAIN.from_string(f"{{{{ '%99999d' is {test} }}}}").render({LOCALE: "en"})


@pytest.mark.parametrize(("number", "shown"), [(2, "even"), (3, "odd"), (-3, "odd"), (2.5, ""), (10**15, "even")])
def test_a_number_is_even_or_odd_or_a_fraction(number, shown):
    source = "{% if x is even %}even{% elif x is odd %}odd{% endif %}"
    assert PLAIN.from_string(source).render({"x": number, LOCALE: "en"}) == shown


def test_html_is_escaped_and_plain_text_is_not():
    values = {"x": "<b>\"&'", LOCALE: "en"}
    assert HTML.from_string("{{ x }}").render(values) == "&lt;b&gt;&#34;&amp;&#39;"
    assert HTML.from_string("{{ x | upper }}{{ x | default('') }}").render(values).count("<") == 0
    assert PLAIN.from_string("{{ x }}").render(values) == values["x"]


@pytest.mark.parametrize("attribute", ["items", "keys", "get", "pop", "nmae"])
def test_an_attribute_is_a_key_and_nothing_of_pythons(attribute):
    with pytest.raises(UndefinedError):
        PLAIN.from_string(f"{{{{ x.{attribute} }}}}").render({"x": {"name": "a"}, LOCALE: "en"})


def test_also_what_was_not_refused_reaches_nothing():
    """The sandbox holds by itself, whatever the check of the source has overlooked."""
    for source in ("{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ range(9) }}", "{{ x.upper() }}"):
        with pytest.raises(UndefinedError):
            PLAIN.from_string(source).render({"x": "text", LOCALE: "en"})

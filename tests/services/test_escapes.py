"""Known ways out of template languages, and into headers and pages: none does anything, wherever it is put."""

import pytest

from notify_server.domain.template import Content, Source, Template, Variable, VariableType
from notify_server.errors import InvalidInput
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.parsing import parse
from notify_server.services.rendering import render
from notify_server.services.variables import Variables
from tests.builders import NOON

PLACES = ("title", "body", "subject", "html", "text", "link", "image", "data")
VARIABLES = {
    "x": Variable(VariableType.STRING),
    "items": Variable(VariableType.LIST, required=False),
    "url": Variable(VariableType.URL, required=False),
}
# From the write-ups of server-side template injection in Jinja and its kin.
ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ()['__cl' 'ass__'] }}",
    "{{ x['__init__']['__globals__'] }}",
    "{{ x.__init__.__globals__ }}",
    "{{ x | attr('__class__') }}",
    "{{ x | attr('_' ~ '_class_' ~ '_') }}",
    "{{ x | attr(['_'*2, 'class', '_'*2] | join) }}",
    "{{ x | map(attribute='__class__') | list }}",
    "{{ [x] | groupby('__class__') }}",
    "{{ [x] | sum(attribute='__class__') }}",
    "{{ [x] | max(attribute='__class__') }}",
    "{{ [x] | selectattr('__class__') | list }}",
    "{{ [x] | sort(attribute='__class__') }}",
    "{{ x | format('%s') }}",
    "{{ '{0.__class__}' | format(x) }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{x.__class__}'.format_map(items) }}",
    "{{ ('%s' % x.__class__) }}",
    "{{ self }}",
    "{{ self.__dict__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ cycler }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{% set n = namespace(a=x) %}{{ n.a }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ dict(a=1) }}",
    "{{ range(10) }}",
    "{{ range.__class__ }}",
    "{{ config }}",
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ request['application'] }}",
    "{{ g }}",
    "{{ session }}",
    "{{ url_for.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ current_app }}",
    "{{ environment }}",
    "{{ _locale }}",
    "{{ __name__ }}",
    "{{ loop }}",
    "{{ caller() }}",
    "{{ super() }}",
    "{{ varargs }}",
    "{{ debug }}",
    "{% debug %}",
    "{% for i in items %}{{ loop.__class__ }}{% endfor %}",
    "{% for i in items %}{{ loop._recurse }}{% endfor %}",
    "{% for i in items %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for i in items %}{{ loop.changed(i) }}{% endfor %}",
    "{% for i in items %}{{ loop.previtem }}{% endfor %}",
    "{% for k in x.__class__.__mro__ %}{{ k }}{% endfor %}",
    "{% for i in ''.__class__.__base__.__subclasses__() %}{{ i }}{% endfor %}",
    "{% for i in items.clear() %}{% endfor %}",
    "{{ items.append(1) }}",
    "{{ items.pop() }}",
    "{% do items.append(1) %}",
    "{% with a = x.__class__ %}{{ a }}{% endwith %}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import popen %}",
    "{% include '/etc/passwd' %}",
    "{% include x %}",
    "{% extends '/etc/passwd' %}",
    "{% raw %}{% endraw %}{{ x() }}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{{ x | safe }}",
    "{{ x | pprint }}",
    "{{ x | tojson }}",
    "{{ x | xmlattr }}",
    "{{ x | urlize }}",
    "{{ x | forceescape }}",
    "{{ x if x.__class__ else x }}",
    "{% if x.__class__ %}a{% endif %}",
    "{% if x is callable %}a{% endif %}",
    "{% if x is mapping %}a{% endif %}",
    "{% if x is in(items) %}a{% endif %}",
    "{{ x is filter('attr') }}",
    "{{ 7 * 7 }}",
    "{{ 'a' * 10**9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 1 // 0 }}",
    "{{ -x }}",
    "{{ x ~ x }}",
    "{{ x[::-1] }}",
    "{{ {} }}",
    "{{ (x, x) }}",
    "{{ x | center(10**9) }}",
    "{{ x | join(x | join(x)) }}",
    "{{ x | replace('', x) }}",
    "{{ x | wordwrap(1) }}",
    "{{ x | batch(1) }}",
    "{{ x | random }}",
    "{{ x | truncate(length=9) }}",
    "{{ x | default(x.__class__) }}",
    "{{ x | default(items[0]) }}",
    "{{ gettext('%(a)s', a=x) }}",
    "{% trans %}x{% endtrans %}",
    "{{ lambda: 1 }}",
    "{{ x and __import__('os') }}",
    "{{ not x.mro() }}",
]
# What backends may put into a variable, because somebody had it put into theirs.
SAID = [
    *ESCAPES,
    "{{ 7*7 }}${7*7}<%= 7*7 %>#{7*7}",
    "{# {{ x }} #}",
    "%(x)s {0} {x}",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</title></style></textarea>--><script>",
    "javascript:alert(1)",
    "&#60;script&#62;",
    "=?utf-8?q?a=0D=0ABcc:_evil@x.example?=",
    "a\r\nBcc: evil@x.example\r\n\r\nbody",
    "a\nSubject: b",
]


def content(place, source):
    """A template with `source` in one place, and nothing of interest in the others."""
    parts = {"title": "T", "body": "B", "subject": "S", "html": "<p>H</p>", "text": "P"}
    elsewhere = {"link": {"link": source}, "image": {"image": source}, "data": {"data": {"a": source}}}.get(place, {})
    return Content(
        "en", {"en": Source(**(parts | ({place: source} if place in parts else {})))}, VARIABLES, **elsewhere
    )


def rendered(made, **given):
    values = Variables(LinkPolicy(("https",), ())).read(VARIABLES, {"x": "Ada"} | given)
    return render(Template("t", 1, made, NOON), parse(made), values, mails=True)


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_can_hold_one(source):
    for place in PLACES:
        with pytest.raises(InvalidInput) as refusal:
            parse(content(place, source))
        [path] = refusal.value.errors
        assert path in {f"locales.en.{place}", place, f"{place}.a"}


@pytest.mark.parametrize("said", SAID)
def test_what_a_variable_says_is_shown_and_nothing_else(said):
    plain = rendered(content("text", "> {{ x }} <"), x=said).mails["en"]
    assert plain.text == f"> {said} <"
    html = rendered(content("html", "<p title='{{ x }}'>{{ x }}</p>"), x=said).mails["en"].html
    assert html.count("<") == html.count(">") == 2
    assert html.count("'") == 2
    assert html.removeprefix("<p title='").removesuffix("</p>").count('"') == 0


@pytest.mark.parametrize("said", SAID)
def test_titles_and_subjects_stay_one_line_of_what_was_said(said):
    for place in ("title", "subject"):
        made = rendered(content(place, "Dear {{ x }}"), x=said)
        shown = made.texts.of("en").title if place == "title" else made.mails["en"].subject
        assert shown == "Dear " + " ".join(said.split())


@pytest.mark.parametrize("said", SAID)
def test_no_address_is_made_of_it(said):
    for place in ("link", "image"):
        with pytest.raises(InvalidInput) as refusal:
            rendered(content(place, "{{ x }}"), x=said)
        assert said not in str(refusal.value)
    with pytest.raises(InvalidInput) as refusal:
        rendered(content("text", "{{ url }}"), url=said)
    assert refusal.value.errors.keys() == {"variables.url"}


@pytest.mark.parametrize("said", SAID)
def test_the_names_and_fields_of_lists_are_no_way_in(said):
    source = "{% for i in items %}{{ i.a }}{% endfor %}"
    assert rendered(content("text", source), items=[{"a": said}]).mails["en"].text == said.strip()
    with pytest.raises(InvalidInput) as refusal:
        rendered(content("text", source), items=[{said: "a"}])
    assert said not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["__class__", "__init__", "mro", "keys", "items", "pop", "_TemplateReference__context"]
)
def test_attributes_are_keys_of_what_was_given_alone(name):
    source = f"{{% for i in items %}}{{{{ i.{name} }}}}{{% endfor %}}"
    if name.startswith("_"):
        with pytest.raises(InvalidInput):
            parse(content("text", source))
    else:
        assert rendered(content("text", source), items=[{name: "mine"}]).mails["en"].text == "mine"
        with pytest.raises(InvalidInput):
            rendered(content("text", source), items=[{"a": 1}])

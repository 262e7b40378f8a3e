import pytest

from notify_server.domain.template import Variable, VariableType
from notify_server.services.markup import misplaced
from notify_server.services.sandbox import Sandbox

VARIABLES = {
    "name": Variable(VariableType.STRING),
    "count": Variable(VariableType.INTEGER),
    "link": Variable(VariableType.URL),
    "maybe": Variable(VariableType.URL, required=False),
    "items": Variable(VariableType.LIST),
}
ADDRESS, TAG, QUOTES = "An address begins with", "Within a tag", "Nothing is shown"


def faults(html):
    return [fault for _, fault in misplaced(Sandbox(html=True).parse(html), VARIABLES)]


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        *[
            (html, ADDRESS)
            for html in (
                '<a href="{{ name }}">',
                "<a href='{{ name }}'>",
                '<a HREF = "\n{{ name }}">',
                '<img src="{{ name | urlencode }}">',
                '<a href="{% if name %}{{ name }}{% endif %}">',
                '<a href="{% if name %}https://x/{% else %}{{ name }}{% endif %}">',
                '<a href="{% for x in items %}{{ x }}{% endfor %}">',
                '<a href="{{ user.id }}">',
                '<a href="{{ link | default(name) }}">',
                '<a href="{{ link if link else name }}">',
                '<a href="{{ maybe }}{{ name }}">',
                '<a href="{% if name %}{{ link }}{% endif %}{{ name }}">',
                '<a href="{# nothing #} {% if name %} {% endif %}{{ name }}">',
                '<a href="java{{ name }}">',
                '<a href="javascript:{{ name }}">',
                '<a href="&#106;avascript:{{ name }}">',
                '<a href="https:{{ name }}">',
                '<a href="https://{{ name }}">',
                '<a href="https://example.org{{ name }}">',
                '<a href="{{ link }}{{ name }}">',
                '<a href="/{{ name }}">',
                '<a href="https://{{ link }}">',
                '<button formaction="{{ name }}">',
                '<video poster="{{ name }}">',
                '<svg><a xlink:href="{{ name }}">',
                '<form action="{{ name }}">',
                '<body background="{{ name }}">',
                '<object data="{{ name }}">',
            )
        ],
        *[
            (html, TAG)
            for html in (
                "<a href={{ link }}>",
                "<p title={{ name }}>",
                "<p title=x{{ name }}>",
                "<p title= {{ name }}>",
                "<p {{ name }}>",
                "<p {{ name }}='x'>",
                "<p data-{{ name }}='x'>",
                "<{{ name }}>",
                "<p{{ name }}>",
                "</{{ name }}>",
                "<p {% if name %}title={% endif %}{{ name }}>",
                "<p title='{% if name %}'{% endif %}{{ name }}'>",
            )
        ],
        *[
            (html, QUOTES)
            for html in (
                "<script>{{ name }}</script>",
                "<SCRIPT type='application/ld+json'>{{ name }}",
                "<style>a { color: {{ name }} }</style>",
                "<p onclick='x({{ name }})'>",
                "<p OnError='x({{ count }})'>",
                "<iframe srcdoc='{{ name }}'>",
                "<meta http-equiv='refresh' content='0;url={{ link }}'>",
                "<!-- {{ name }} -->",
                "<!doctype {{ name }}>",
                "{% for x in items %}<script>{% endfor %}{{ name }}",
                "<title></ti{# #}tle><script>{{ name }}</script>",
                "<textarea><{% if name %}{% endif %}/textarea><script>{{ name }}",
                "<title></title{# #}><script>{{ name }}",
                "<!-- -{# #}-><script> --> {{ name }}",
                "<title></{{ name }}><script>",
                "<title></ti{{ name }}tle>",
                "<style></st{# #}x>{{ name }}",
            )
        ],
        ("<img srcset='https://x/ 1x, {{ name }} 2x'>", "In the attribute 'srcset' only variables of type url"),
        ("<p style='color: {{ name }}'>", "In the attribute 'style' only numbers"),
        ("<a href='{% for x in items %}a{% endfor %}'>", "A loop ends within the tag"),
    ],
)
def test_nothing_is_shown_where_escaping_does_not_help(html, fault):
    assert fault in " ".join(faults(html))


@pytest.mark.parametrize(
    "html",
    [
        '<a href="{{ link }}">{{ name }}</a>',
        '<a href="{{ maybe }}">{{ name }}</a>',
        '<a href="https://example.org/{{ name | urlencode }}?u={{ user.id | urlencode }}">',
        '<a href="{{ link }}?x={{ name }}">',
        '<a href="{% if maybe %}{{ maybe }}?x={{ name }}{% endif %}">',
        '{% if maybe is not none and name %}<a href="{{ maybe }}#{{ name }}">{% endif %}',
        '<a href="{% if name %}{{ link }}{% endif %}">{{ name }}',
        '<a href="mailto:{{ name }}?subject={{ name }}">',
        '<a href="#{{ name }}">',
        '<p title="{{ name }}">',
        "<p style='width: {{ count }}%'>",
        "<img srcset='{{ link }} 1x, {{ link }} 2x'>",
        "<title>{{ name }}</title><style>a{}</style>{{ name }}",
        '<p{% if name %} class="a"{% endif %}>{{ name }}</p>',
        '<p{% if name %} title="{{ name }}"{% endif %} class=a>{{ name }}</p>',
        "{% for x in items %}<p title='{{ x.a }}'>{{ x.b }}</p>{% else %}{{ name }}{% endfor %}{{ name }}",
        "<!--[if mso]><p>{{ name }}</p><![endif]-->{{ name }}",
        "1 < {{ name }}",
        "<title>{{ name }} < {{ name }}{# #}</ti{# #}tle>{{ name }}",
        "<!-- -{# #}-> {{ name }}",
    ],
)
def test_texts_quoted_values_and_addresses_that_lead_somewhere_pass(html):
    assert faults(html) == []


def test_a_fault_has_its_line_and_is_told_once():
    tree = Sandbox(html=True).parse("{% for x in items %}\n<p {{ x }}>{% endfor %}")
    assert [line for line, _ in misplaced(tree, VARIABLES)] == [2]


def test_what_comes_long_after_branches_is_read_as_it_is():
    """It is read piece by piece while branches differ, and no piece ends within a comment's end or a tag."""
    branches = "".join(f"{{% if name %}}{letter}{{% endif %}}" for letter in "abcd")
    for length in range(240, 270):
        html = f'<a href="{branches}{"x" * length}">' + "<!-- > -->" * 60 + "<style>a > b</style>" * 30 + "{{ name }}"
        assert faults(html) == []
        assert TAG in " ".join(faults(html + "<p {{ name }}>"))
        assert ADDRESS in " ".join(faults(f'<a href="{branches}{">" * length}{{{{ name }}}}">'))


def test_conditions_within_a_tag_are_bounded():
    branches = "".join(f"{{% if name %}}{letter}{{% endif %}}" for letter in "abcdefgh")
    assert faults(f'<a href="{branches}">') == ["Has too many conditions within one tag."]
    assert faults(f'<a href="https://x/{branches}">') == faults(f'<p title="{branches}">') == []

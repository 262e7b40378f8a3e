import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain import text
from notify_server.domain.notification import Message
from notify_server.domain.template import Content, Source, Template, Variable, VariableType
from notify_server.domain.texts import Mail, Text
from notify_server.domain.user_fields import UserField, mark
from notify_server.errors import InvalidInput
from notify_server.services.parsing import parse
from notify_server.services.rendering import MAX_RENDERED, Rendered, render, widest
from tests.builders import NOON

VARIABLES = {
    "name": Variable(VariableType.STRING),
    "items": Variable(VariableType.LIST, required=False),
    "link": Variable(VariableType.URL, required=False),
}
EN = Source("Hello {{ name }}", "B: {{ name }}", "S {{ name }}", "<p>{{ name }}</p>", "T {{ name }}")
DE = Source("Hallo {{ name }}", "B: {{ name }}", "S {{ name }}", "<p>{{ name }}</p>", "T {{ name }}")


def template(source=EN, german=DE, **fields):
    return Template("t", 3, Content("en", {"en": source, "de": german or source}, VARIABLES, **fields), NOON)


def rendered(made, *, mails=True, **values) -> Rendered:
    return render(made, parse(made.content), {"name": "Ada", "items": None, "link": None} | values, mails=mails)


def test_every_locale_is_rendered_and_the_message_is_that_of_the_default_one():
    made = rendered(template(link="{{ link }}", data={"n": "{{ name }}"}), link="https://example.org/1")
    assert made.texts.locales == {"en": Text("Hello Ada", "B: Ada"), "de": Text("Hallo Ada", "B: Ada")}
    assert made.mails["de"] == Mail("S Ada", "T Ada", "<p>Ada</p>")
    assert made.message == Message("Hello Ada", "B: Ada", None, "https://example.org/1", {"n": "Ada"})
    assert (made.texts.template, made.texts.version, made.texts.default, made.texts.fields) == (
        "t",
        3,
        "en",
        frozenset(),
    )


def test_mails_are_rendered_where_they_are_asked_for():
    assert rendered(template(), mails=False).mails == {}


def test_a_mail_without_a_subject_has_the_title():
    made = rendered(template(Source("T", text="t"), None))
    assert made.mails["en"] == Mail("T", "t", None)


@pytest.mark.parametrize(
    "attack", ["{{ 7 * 7 }}", "{% for i in x %}", "{# x #}", "{{ ''.__class__ }}", "{{ user.id }}"]
)
def test_what_a_variable_says_is_never_evaluated(attack):
    made = rendered(template(), name=attack)
    assert made.texts.of("en").title == f"Hello {attack}"
    assert made.mails["en"].text == f"T {attack}"
    assert made.texts.fields == frozenset()


@pytest.mark.parametrize("name", ["a\r\nBcc: x@evil.example", "a\nSubject: b", "a\tb"])
def test_title_and_subject_stay_one_line(name):
    made = rendered(template(), name=name)
    for line in (made.texts.of("en").title, made.mails["en"].subject):
        assert line.splitlines() == [line]
        assert text.fault(line, lines=False) is None


def test_html_is_escaped():
    assert rendered(template(), name="<b>&\"'").mails["en"].html == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"


def test_fields_of_the_user_are_marked_and_told():
    made = rendered(template(Source("Hi {{ user.id }}", "b", text="{{ user.email }}"), None))
    assert made.texts.of("en").title == f"Hi {mark(UserField.ID)}"
    assert made.message.title == "Hi {{ user.id }}"
    assert made.texts.fields == {UserField.ID, UserField.EMAIL}


@pytest.mark.parametrize(
    ("source", "values", "path"),
    [
        (Source("T", "{% for x in items %}{{ x.a }}{% endfor %}"), {"items": [{"b": 1}]}, "locales.en.body"),
        (Source("{{ name }}", "b"), {"name": "x" * 1025}, "locales.en.title"),
        (
            Source("T", "{% for x in items %}{{ name }}{% endfor %}"),
            {"items": [1] * 100, "name": "x" * 100},
            "locales.en.body",
        ),
        (Source("{% if name > 3 %}{% endif %}T"), {}, "locales.en.title"),
        (Source("{{ name | date }}"), {}, "locales.en.title"),
        (Source("{% if items %}T{% endif %}"), {}, "locales.en"),
        (Source("x{{ name }}"), {"name": "\u0301" * 9}, "locales.en.title"),
        (Source("T", subject="{% if items %}S{% endif %}", text="t"), {}, "locales.en.subject"),
        (Source("{% if items %}S{% endif %}", "b", text="t"), {}, "locales.en.title"),
        (Source("T", text="{% if items %}S{% endif %} "), {}, "locales.en.text"),
        (Source("T", text="{{ name }}"), {"name": " \n "}, "locales.en.text"),
        (Source("T", text="t", html="{% if items %}<p>{% endif %}"), {}, "locales.en.html"),
        (Source("{{ items }}"), {"items": ["a"]}, "locales.en.title"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_part(source, values, path):
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(source, None), **values)
    assert path in refusal.value.errors


def test_a_mail_of_which_nothing_is_seen_matters_where_there_are_mails():
    made = rendered(template(Source("T", text="{% if items %}x{% endif %}"), None), mails=False)
    assert made.texts.of("de") == Text("T")


def test_a_fault_is_told_of_each_locale_that_has_it():
    german = Source("T", subject="{% if items %}S{% endif %}", text="t")
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(Source("T", subject="S", text="t"), german))
    assert refusal.value.errors == {"locales.de.subject": ["Shows nothing with these variables."]}


@pytest.mark.parametrize(
    "source",
    [
        "{% if name > 3 %}T{% endif %}",
        "{{ name | date }}",
        "{{ name | number }}",
        "{{ name | truncate(name) }}",
        "{{ 'x' | truncate(name) }}",
        "{{ name.first }}",
        "{{ 3 | money(name) }}{{ name | date }}",
        "{% for x in items %}{{ x.name }}{% endfor %}",
        "{{ items | join | date }}",
        "{{ items | first | number }}",
        "{{ name | length }}{{ 3 | length }}{{ name | date }}",
        "{{ name | lower | join }}",
    ],
)
def test_what_is_refused_of_values_is_not_repeated(source):
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(Source(source), None), name="secret", items=["secret"])
    assert refusal.value.errors.keys() == {"locales.en.title", "locales.de.title"}
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("path", ["link", "image"])
def test_neither_is_an_address(path):
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(**{path: "{{ name }}"}), name="secret://se cret@secret")
    assert "secret" not in str(refusal.value)


def test_one_locale_can_be_rendered_alone():
    dear = Source("Hallo {{ name }}", "B: {{ name }}", "S {{ name }}", "<p>{{ name }}</p>", "{{ name | date }}")
    parsed = template(german=dear)
    values = {"name": "Ada", "items": None, "link": None}
    made = render(parsed, parse(parsed.content), values, mails=True, only="en")
    assert (made.texts.locales.keys(), made.mails.keys(), made.texts.default) == ({"en"}, {"en"}, "en")
    with pytest.raises(InvalidInput):
        render(parsed, parse(parsed.content), values, mails=True, only="de")
    german = render(template(), parse(template().content), values, mails=True, only="de")
    assert german.message.title == "Hallo Ada"


def test_what_is_the_same_for_all_is_rendered_once_and_bounded():
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(data={"a": "{{ name }}"}), name="x" * 2049)
    assert "data.a" in refusal.value.errors


@pytest.mark.parametrize("path", ["link", "image"])
@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://a b", "//x", 'https://x/"y'])
def test_an_address_is_one(path, address):
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(**{path: "{{ name }}"}), name=address)
    assert refusal.value.errors.keys() == {path}


def test_an_address_of_a_variable_that_was_left_out_is_none():
    made = rendered(template(link="{{ link }}", image="{{ link }}"))
    assert (made.message.link, made.message.image) == (None, None)


@pytest.mark.parametrize("only", [None, "en", "de"])
def test_what_is_the_same_for_all_locales_is_that_of_the_default_one_also_in_a_preview(only):
    made = template(data={"n": "{{ 1234.5 | number }}"}, link="https://example.org/{{ 1234.5 | number }}")
    values = {"name": "Ada", "items": None, "link": None}
    message = render(made, parse(made.content), values, mails=True, only=only).message
    assert (message.data, message.link) == ({"n": "1,234.5"}, "https://example.org/1,234.5")


def test_a_loop_ends_as_soon_as_there_is_too_much():
    source = "{% for x in items %}" + "y" * 1000 + "{% endfor %}"
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(Source("T", source), None), items=[1] * 100)
    assert refusal.value.errors["locales.en.body"] == [
        f"Has more than {MAX_RENDERED['body']} characters with these variables."
    ]


def test_the_widest_message_is_no_shorter_than_anybodys():
    said = Text(f"Hi {mark(UserField.ID)}", None)
    message = widest(Message("x", "y", data={"a": "b"}), said)
    assert len((message.title or "").encode()) == 3 + 4 * 128
    assert (message.body, message.data) == (None, {"a": "b"})


@given(st.text(max_size=60))
def test_any_text_that_is_taken_in_is_shown_as_it_is_in_plain_text_and_inert_in_html(value):
    if text.fault(text.nfc(value), lines=True) is not None:
        return
    made = rendered(template(), name=text.nfc(value))
    assert made.mails["en"].text == f"T {text.nfc(value)}".strip()
    assert "<" not in (made.mails["en"].html or "").removeprefix("<p>").removesuffix("</p>")

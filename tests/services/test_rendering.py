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
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_part(source, values, path):
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(source, None), **values)
    assert path in refusal.value.errors


def test_what_is_refused_of_values_is_not_repeated():
    with pytest.raises(InvalidInput) as refusal:
        rendered(template(Source("{% if name > 3 %}T{% endif %}"), None), name="secret")
    assert "secret" not in str(refusal.value)


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

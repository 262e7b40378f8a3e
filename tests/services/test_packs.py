"""Every template of every pack, in every locale: complete, well-formed, and about the same."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import meta

from notify_server.domain.notification import Channel
from notify_server.domain.template import Template, VariableType
from notify_server.errors import NotFound
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.packs import load, names
from notify_server.services.parsing import parse
from notify_server.services.rendering import render
from notify_server.services.sandbox import Sandbox
from notify_server.services.variables import Variables
from tests.builders import NOON

PIECES = {f"{name}:{piece.name}": piece for name in names() for piece in load(name).pieces}
ACTIONS = [
    "user_registered",
    "user_confirm",
    "email_changed",
    "password_changed",
    "password_reset",
    "session_proposed",
    "session_accepted",
    "session_rejected",
    "session_state_changed",
    "session_schedule_changed",
    "event_role_invited",
    "event_published",
    "next_event",
    "after_event",
    "ticket_purchased",
    "ticket_purchased_attendee",
    "ticket_purchased_organiser",
    "ticket_cancelled",
    "event_exported",
    "event_export_failed",
    "event_imported",
    "event_import_failed",
    "papers_invited",
    "monthly_payment",
    "organisers_contacted",
]
EVERY = pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
VOID = {"meta", "br", "img", "hr"}
PARSER = Sandbox(html=False)


class Balanced(HTMLParser):
    """Fails where a tag is not closed in its place; remembers the text and the addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words += data.split()


def shown(piece, **left_out):
    content = piece.content
    given = {name: variable.example for name, variable in content.variables.items()} | left_out
    values = Variables(LinkPolicy(("https",), ())).read(content.variables, given)
    return render(Template(piece.name, 1, content, NOON), parse(content), values, mails=True)


def without_optional(piece):
    return {name: None for name, variable in piece.content.variables.items() if not variable.required}


def used(source):
    return meta.find_undeclared_variables(PARSER.parse(source))


def test_the_pack_for_events_covers_every_action():
    assert names() == ["events"]
    assert sorted(piece.name for piece in load("events").pieces) == sorted(ACTIONS)


def test_a_pack_that_is_not_there_is_not_found():
    with pytest.raises(NotFound, match="events"):
        load("../events")


@EVERY
def test_it_is_rendered_in_both_languages_with_its_examples(piece):
    rendered = shown(piece)
    assert rendered.texts.locales.keys() == rendered.mails.keys() == {"en", "de"}
    for locale, mail in rendered.mails.items():
        text = rendered.texts.of(locale)
        assert text.title
        assert text.body
        assert mail.subject
        assert mail.html
        for part in (text.title, text.body, mail.subject, mail.text, mail.html):
            assert "None" not in part
            assert "{{" not in part
            assert "{%" not in part


def blanks():
    """Every template without all that may be left out, without each of it, and with each text and list empty."""
    for name, piece in PIECES.items():
        yield pytest.param(piece, without_optional(piece), id=f"{name}: nothing optional")
        for variable, declared in piece.content.variables.items():
            empty = {VariableType.STRING: "", VariableType.LIST: []}.get(declared.type)
            if not declared.required:
                yield pytest.param(piece, {variable: None}, id=f"{name} without {variable}")
            if empty is not None and (not declared.required or empty == []):
                yield pytest.param(piece, {variable: empty}, id=f"{name} with {variable} empty")


@pytest.mark.parametrize(("piece", "left_out"), list(blanks()))
def test_it_reads_well_without_what_may_be_left_out_or_empty(piece, left_out):
    rendered = shown(piece, **left_out)
    for locale in ("en", "de"):
        text, mail = rendered.texts.of(locale), rendered.mails[locale]
        for part in (text.title, text.body, mail.subject, mail.text):
            assert part == part.strip()
            assert "None" not in part
            assert not re.search(r"[,:;(] *[.,;)]|[^-] [.,;:!]|  |^[.,;:]|: *\n\n\w+:|\n\n\n|: *$", part), part
        page = mail.html.partition("<body>")[2]
        assert not re.search(r'<p[^>]*>\s*</p>|</span>\s*</p>|href=""|>\s*[,.;:]', page), page


@pytest.mark.parametrize("amount", [0, 1, 1234.5])
def test_an_amount_of_nothing_is_an_amount(amount):
    for locale, zero in (("en", "€0.00"), ("de", "0,00\xa0€")):
        mail = shown(PIECES["events:ticket_cancelled"], amount=amount).mails[locale]
        assert (zero in mail.text) is (zero in mail.html) is (amount == 0)


@EVERY
def test_both_languages_say_different_words_with_the_same_variables(piece):
    english, german = (dict(piece.content.locales[locale].parts()) for locale in ("en", "de"))
    assert english.keys() == german.keys()
    for part in english:
        assert used(english[part]) == used(german[part]), part
    for part in ("subject", "html", "text"):
        assert english[part] != german[part]
    assert 'lang="de"' in german["html"]


@EVERY
def test_every_declared_variable_is_shown_and_has_an_example(piece):
    sources = [source for locale in piece.content.locales.values() for _, source in locale.parts()]
    shown_somewhere = set().union(*map(used, sources))
    assert shown_somewhere == piece.content.variables.keys()
    assert all(variable.example is not None for variable in piece.content.variables.values())


@EVERY
@pytest.mark.parametrize("locale", ["en", "de"])
def test_its_html_is_well_formed_and_says_what_the_plain_text_says(piece, locale):
    mail = shown(piece).mails[locale]
    page = Balanced()
    page.feed(mail.html)
    page.close()
    assert page.open == []
    assert page.links
    assert all(link.startswith("https://") and link in mail.text for link in page.links)
    lines = [line for line in mail.text.split() if line not in {"--", *page.links}]
    said = " ".join(page.words)
    missing = [word for word in lines if word.rstrip(":") not in said]
    assert missing == []


@EVERY
def test_its_html_fits_phones_and_the_dark_and_needs_nothing_from_elsewhere(piece):
    html = shown(piece).mails["en"].html
    assert "width=device-width" in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<(table|script|img|link|iframe)\b", html)
    assert len(html.encode()) < 16_384  # Gmail cuts mails at 102 KB


@EVERY
def test_what_variables_say_is_inert(piece):
    texts = {name: variable for name, variable in piece.content.variables.items() if variable.type == "string"}
    attack = "<script>alert(1)</script>{{ 7*7 }}\r\nBcc: x@evil.example"
    rendered = shown(piece, **dict.fromkeys(texts, attack))
    for mail in rendered.mails.values():
        assert "<script>" not in mail.html
        assert "49" not in mail.subject
        assert mail.subject.splitlines() == [mail.subject]


@EVERY
def test_its_action_uses_it_and_mails(piece):
    assert (piece.action.template, piece.action.pack) == (piece.name, "events")
    assert Channel.EMAIL in piece.action.channels
    assert (piece.content.link is not None) is (Channel.PUSH in piece.action.channels)
    assert piece.content.category
    assert piece.action.mandatory is (piece.content.category == "account")

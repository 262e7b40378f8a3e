import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain import text
from notify_server.domain.text import MAX_MARKS

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

ATTACKS = {
    "NUL": "a\0b",
    "terminal escape": "\x1b[31mred",
    "bell": "\a",
    "backspace": "safe\b\b\b\b",
    "delete": "a\x7f",
    "carriage return that overwrites a line in a log": "a\rb",
    "C1 control": "\x9b31m",
    "next line": "a\x85b",
    "line separator, which ends a line of JavaScript": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "right-to-left override, photo\u202egpj.exe": "photo\u202egpj.exe",
    "left-to-right override": "\u202dabc",
    "an isolate that does not end (Trojan Source)": "\u2066abc",
    "an isolate ended by the end of the line": "\u2067a\nb\u2069",
    "an embedding that does not end": "\u202babc",
    "an end that nobody began": "abc\u2069",
    "ends in the wrong order": "\u202a\u2066abc\u202c\u2069",
    "zero-width space": "pay\u200bpal",
    "word joiner": "pay\u2060pal",
    "byte order mark": "\ufeffabc",
    "invisible operator": "a\u2062b",
    "Mongolian vowel separator": "a\u180eb",
    "Hangul filler": "\u3164",
    "interlinear annotation": "\ufff9a\ufffab\ufffb",
    "deprecated format character": "a\u206ab",
    "joiner at the beginning": "\u200dabc",
    "joiner at the end": "abc\u200d",
    "joiner between spaces": "a \u200c b",
    "two joiners": "a\u200d\u200cb",
    "hidden text in tag characters": "hello" + "".join(chr(0xE0000 + ord(c)) for c in "ignore this"),
    "tags on a flag that are no region": "\U0001f3f4" + "\U000e0041" * 3 + "\U000e007f",
    "language tag": "\U000e0001\U000e0064\U000e0065",
    "noncharacter": "\ufdd0",
    "noncharacter of another plane": "\U0001fffe",
    "last code point": "\U0010ffff",
    "private use": "\ue000",
    "private use of another plane": "\U000f0000",
    "half of a surrogate pair": "\ud83d",
    "zalgo": "Z" + "\u0301" * (MAX_MARKS + 1),
    "zalgo of many marks": "Z" + "\u0301\u0323\u0489\u035c\u0301" * 4,
    "zalgo of variation selectors": "a" + "\ufe0f" * (MAX_MARKS + 1),
    "hidden bytes in variation selectors": "a" + "\U000e0100" * (MAX_MARKS + 1),
}
GOOD = {
    "ASCII": "Your booking #12 <b>is</b> {ready} & paid: 5 > 4",
    "German": "Grüße, schöne Überraschung – „ja“",
    "decomposed": unicodedata.normalize("NFD", "Grüße Ệ"),
    "Japanese": "予約が確定しました。",
    "Arabic": "تم تأكيد الحجز\u200f!",
    "Hebrew with points and accents": "בְּרֵאשִׁ֖ית",
    "Persian with joiner": "می\u200cخواهم",
    "Hindi with joiner": "क्\u200dष",
    "Thai": "การจองของคุณ",
    "Tibetan": "བོད་སྐད་",
    "an isolate that ends": "\u2067שלום\u2069 (Anna)",
    "isolates within isolates": "\u2066a \u2067b\u2069\u2069",
    "an embedding that ends": "\u202bשלום\u202c",
    "family": FAMILY,
    "flag of England": f"Go {ENGLAND}{ENGLAND}!",
    "flag, keycap, skin": "🇦🇹 1\ufe0f\u20e3 👍🏽",
    "no-break space": "5\u00a0€ a\u202fb",
    "soft hyphen": "Donau\u00addampf",
    "as many marks as may be": "Z" + "\u0316" * MAX_MARKS,
}


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("value", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused(value, lines):
    assert text.fault(value, lines=lines) is not None


@pytest.mark.parametrize("value", GOOD.values(), ids=GOOD)
def test_what_people_write_passes(value):
    assert text.fault(value, lines=False) is None
    assert text.fault(text.nfc(value), lines=False) is None


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\r\nb", "\n", "\u2067a\u2069\n\u2067b\u2069"])
def test_lines_pass_where_there_may_be_some(value):
    assert text.fault(value, lines=True) is None
    assert text.fault(value, lines=False) is not None


def test_a_fault_names_the_character_so_that_it_can_be_found():
    assert text.fault("a\u202eb", lines=True) == "Must not contain U+202E (right-to-left override)."
    assert text.fault("a\nb", lines=False) == "Must be one line, without U+000A (line feed)."
    assert text.fault("a\u200d", lines=True) == "Contains U+200D (zero width joiner), which joins nothing there."


@given(st.text())
def test_the_same_text_is_the_same_characters_however_it_was_typed(value):
    forms = {text.nfc(unicodedata.normalize(form, value)) for form in ("NFC", "NFD")}
    assert forms == {unicodedata.normalize("NFC", value)}
    assert text.nfc(text.nfc(value)) == text.nfc(value)


@given(st.text())
def test_what_passes_holds_nothing_that_controls(value):
    if text.fault(value, lines=False) is None:
        assert not {unicodedata.category(character) for character in value} & {"Cc", "Cs", "Co", "Zl", "Zp"}


def test_every_mark_of_the_basic_plane_counts():
    marks = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) in {"Mn", "Me"}]
    assert len(marks) > 900
    assert [mark for mark in marks if not text.is_stacked(mark * (MAX_MARKS + 1))] == []
    assert [mark for mark in marks if text.is_stacked(mark * MAX_MARKS)] == []


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("https://a.example", True),
        ("https://a.example/b/c.html?d=e&f=%20", True),
        ("https://a.example/" + "b" * 1000, True),
        ("https://a.example/" + "b" * 1001, False),
        ("http://a.example", False),
        ("https://A.example", False),
        ("https://a.example:8443/", False),
        ("https://user@a.example/", False),
        ("https://a.example#b", False),
        ("https://a.example/\n", False),
        ("https://ä.example", False),
        ("https://-a.example", False),
        ("https://", False),
        ("", False),
    ],
)
def test_a_plain_url_is_one_that_everybody_reads_alike(value: str, plain: bool) -> None:
    assert text.is_plain_url(value) is plain

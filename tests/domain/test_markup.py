import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.markup import Place, Where

HTML = (
    '<a b="c" d=\'e\' f=g href="https://x.y/z">t<br/><!-- <p> --><!----!><!--><!---><title>a<b</t</TITLE></a>'
    "<style></styl></style ><p title='"
)


@pytest.mark.parametrize(
    ("html", "where", "tag", "attribute"),
    [
        ("", Where.TEXT, "", ""),
        ("a < b", Where.TEXT, "", ""),
        ("<", Where.BEGUN, "", ""),
        ("<!-", Where.BEGUN, "", ""),
        ("<sCr", Where.NAME, "scr", ""),
        ("<p ", Where.TAG, "p", ""),
        ("<p/", Where.TAG, "p", ""),
        ("<p TI", Where.KEY, "p", "ti"),
        ("<p title ", Where.KEYED, "p", "title"),
        ("<p title = ", Where.VALUE, "p", "title"),
        ("<p title=x", Where.UNQUOTED, "p", "title"),
        ("<p title=\xa0'", Where.UNQUOTED, "p", "title"),
        ("<p title=x ", Where.TAG, "p", ""),
        ("<p a b=c d='e' TITLE = \"x>", Where.QUOTED, "p", "title"),
        ("<p title='x\">'", Where.TAG, "p", ""),
        ("<p title='x'>", Where.TEXT, "", ""),
        ("<p a=>", Where.TEXT, "", ""),
        ("<p =a='b'>", Where.TEXT, "", ""),
        ("</p>", Where.TEXT, "", ""),
        ("</p title='", Where.QUOTED, "/p", "title"),
        ("</>x", Where.TEXT, "", ""),
        ("</ p", Where.DECLARATION, "", ""),
        ("<?xml", Where.DECLARATION, "", ""),
        ("<!doctype html", Where.DECLARATION, "", ""),
        ("<!doctype html>", Where.TEXT, "", ""),
        ("<!-- a > <p", Where.COMMENT, "", ""),
        ("<!-- a --><p ", Where.TAG, "p", ""),
        ("<!--><p ", Where.TAG, "p", ""),
        ("<!---><p ", Where.TAG, "p", ""),
        ("<!-- a --!><p ", Where.TAG, "p", ""),
        ("<!--[if mso]><p ", Where.TAG, "p", ""),
        ("<!--[if mso]><p><![endif]-->", Where.TEXT, "", ""),
        ("<style>a</styl>", Where.RAW, "style", ""),
        ("<STYLE a='b'>a</p>", Where.RAW, "style", ""),
        ("<style>a</Style >", Where.TEXT, "", ""),
        ("<script>'</script>", Where.TEXT, "", ""),
        ("<title><p ", Where.RAW, "title", ""),
        ("<svg><a xlink:href='", Where.QUOTED, "a", "xlink:href"),
    ],
)
def test_where_one_stands_after_html(html, where, tag, attribute):
    place = Place().after(html)
    assert (place.where, place.tag, place.attribute) == (where, tag, attribute)


@pytest.mark.parametrize("at", range(len(HTML) + 1))
def test_it_is_the_same_place_however_the_html_is_cut(at):
    assert Place().after(HTML[:at]).after("").after(HTML[at:]) == Place().after(HTML)


def test_it_is_the_same_place_also_letter_by_letter():
    place = Place()
    for end, letter in enumerate(HTML, 1):
        place = place.after(letter)
        assert place == Place().after(HTML[:end])
    assert (place.where, place.tag, place.attribute) == (Where.QUOTED, "p", "title")


@pytest.mark.parametrize(
    ("said", "leads"),
    [
        *[(each, False) for each in ("", "https", "https:", "https://", "https://x", "https://x.y", "java", "/a", "a")],
        *[
            (each, False)
            for each in ("javascript://x/", "JavaScript:", "data:text/html,", "vbscript://x/?", "https:/x/")
        ],
        *[(each, False) for each in ("&#106;avascript://x/", "https://x\\", "https://x y/")],
        *[
            (each, True)
            for each in ("https://x/", "\n https://x.y?", "http://x#", "mailto:", "TEL:", "#", "school://a/")
        ],
    ],
)
def test_an_address_leads_somewhere_once_scheme_and_host_are_said(said, leads):
    assert Place().after(f'<a href="{said}').leads is leads


@given(st.lists(st.text("<>!-/='\" \nabps{[ifhrefonstylecript"), max_size=6))
def test_any_html_is_read_to_its_end(pieces):
    place = Place()
    for piece in pieces:
        place = place.after(piece)
    assert place.where in Where

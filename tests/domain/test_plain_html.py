from notify_server.domain import plain_html


def test_paragraphs_and_lines_stay_what_they_are():
    page = plain_html.page("one\ntwo\n\nthree\n \n\n")
    assert "<p>one<br>two</p><p>three</p>" in page


def test_nothing_in_a_text_is_a_tag():
    page = plain_html.page('<script>alert("x")</script> & <img src=x onerror=y>')
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp;" in page


def test_a_link_is_one_at_the_end_and_cannot_leave_its_attribute():
    link = 'https://example.org/?a=1&b="onmouseover=x'
    page = plain_html.page(f"Look:\n\n{link}", link)
    assert page.count("<a ") == 1
    assert 'href="https://example.org/?a=1&amp;b=&quot;onmouseover=x"' in page
    assert "<p>Look:</p>" in page

from notify_server.domain.template import Source


def test_a_source_names_the_parts_that_are_there_in_their_order():
    assert list(Source(html="<p>", title="T").parts()) == [("title", "T"), ("html", "<p>")]
    assert list(Source().parts()) == []

import pytest

from notify_server.services.links import normalised

ANY: frozenset[str] = frozenset()
ATTACKS = {
    "no scheme": "example.org",
    "scheme-relative": "//example.org",
    "path alone": "/bookings/1",
    "javascript": "javascript:alert(1)",
    "javascript after a space": " javascript://example.org",
    "javascript with a line feed in it": "java\nscript://example.org",
    "javascript with a tab in it": "java\tscript://example.org",
    "data": "data:text/html,<script>alert(1)</script>",
    "data in base64": "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript": "vbscript:msgbox(1)",
    "file": "file:///etc/passwd",
    "blob": "blob:https://example.org/1",
    "no host": "https://",
    "no host but a path": "https:///etc/passwd",
    "no host but a port": "https://:80/",
    "one slash": "https:/example.org",
    "user name": "https://example.org@evil.example/",
    "user name and password": "https://user:password@evil.example/",
    "two at signs": "https://a@b@evil.example/",
    "backslash for a slash": "https:\\\\evil.example\\",
    "backslash in the host": "https://evil.example\\@example.org/",
    "space": "https://a b/",
    "no-break space": "https://a\u00a0b/",
    "line feed, which splits a header": "https://a/\r\nSet-Cookie:x",
    "NUL": "https://a/\0",
    "right-to-left override": "https://example.org/\u202egpj.exe",
    "zero-width space in the host": "https://exam\u200bple.org/",
    "byte order mark": "\ufeffhttps://example.org/",
    "markup": "https://example.org/<script>",
    "end of an attribute": 'https://example.org/" onclick="x',
    "backtick": "https://example.org/`x`",
    "template": "https://example.org/{secret}",
    "percent in the host": "https://example%2eorg/",
    "half an IPv6 address": "https://[::1",
    "IPv6 address that is none": "https://[x]/",
    "port that is none": "https://example.org:80.evil.example/",
    "port beyond the last": "https://example.org:65536/",
    "host of marks": "https://\u0301\u0301/",
    "host with a slash that is none": "https://example.org\uff0fevil.example/",
    "host with a question mark that is none": "https://example.org\uff1f.evil.example/",
    "label of 64 letters": f"https://{'ä' * 64}.example/",
}


@pytest.mark.parametrize("value", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused(value):
    with pytest.raises(ValueError, match=r"^Must "):
        normalised(value, ANY)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "https://example.org",
            "HTTPS://EXAMPLE.org:8443/a/b;c?d=e&f=%20#g",
            "https://[2001:db8::1]:8443/",
            "https://127.0.0.1",
        ),
        *(
            "https://example.org/ä?ö=日本#ü",
            "https://example.org./",
            "https://my_bucket.example/",
            "https://xn--bcher-kva.example/",
        ),
        *(
            "myapp://booking/1",
            "org.example.app+x://a",
            "https://a?b",
            "https://a#b",
            "https://a/@user",
            "https://a/?x=b@c",
        ),
    ],
)
def test_an_address_is_taken_as_it_stands(value):
    assert normalised(value, ANY) == value


@pytest.mark.parametrize(
    ("value", "ascii_"),
    [
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/ä"),
        ("https://Bücher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("https://аррӏе.com/", "https://xn--80ak6aa92e.com/"),  # Cyrillic letters that look like apple
        ("https://straße.de/", "https://xn--strae-oqa.de/"),  # IDNA 2008: not strasse.de
        ("https://ｅｘａｍｐｌｅ。org/", "https://example.org/"),
        ("https://ⓔxample.org", "https://example.org"),
    ],
)
def test_a_host_comes_out_in_ascii_so_that_a_lookalike_shows(value, ascii_):
    assert normalised(value, ANY) == ascii_


def test_where_schemes_are_named_no_other_is_taken():
    assert normalised("HTTPS://a", frozenset({"https"})) == "HTTPS://a"
    for value in ("http://a", "ftp://a", "myapp://a", "httpss://a"):
        with pytest.raises(ValueError, match="https://"):
            normalised(value, frozenset({"https"}))

import json
import re
from html.parser import HTMLParser

import pytest


class References(HTMLParser):
    """What a page makes the browser load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href", "srcset", "action"} and value]


@pytest.fixture
def browser(app):
    return app.test_client()


@pytest.fixture
def page(browser):
    return browser.get("/docs", headers={"Host": 'evil.example"></script>'})


def test_the_page_is_served_with_and_without_a_slash(browser):
    for path in ("/docs", "/docs/"):
        answer = browser.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_everything_that_the_page_loads_is_served_by_us(browser, page):
    references = References(page.text).found
    assert len(references) >= 5
    for reference in references:
        assert reference.startswith("/docs/")
        assert browser.get(reference, buffered=True).status_code == 200


def test_the_styles_load_nothing_from_elsewhere(browser, page):
    styles = [reference for reference in References(page.text).found if reference.endswith(".css")]
    assert styles
    for style in styles:
        text = browser.get(style, buffered=True).text
        assert "@import" not in text
        assert all(url.strip("\"'").startswith("data:") for url in re.findall(r"url\(([^)]*)", text))


def test_the_script_is_told_to_ask_no_other_host(page):
    settings = json.loads(re.search(r"var user_config = (\{.*\});", page.text)[1])
    assert settings["url"] == "/openapi.json"
    assert settings["validatorUrl"] is None
    assert "http" not in json.dumps(settings)


def test_the_browser_is_told_to_load_from_nobody_else(browser, page):
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert all("http" not in sources and "*" not in sources for sources in policy.values())
    assert "Content-Security-Policy" in browser.get("/docs/swagger-ui.css", buffered=True).headers


def test_the_page_repeats_nothing_of_the_request(page):
    assert "evil.example" not in page.text


@pytest.mark.parametrize("path", ["nothing.js", "../docs.py", "%2e%2e/%2e%2e/docs.py", "/etc/passwd"])
def test_a_file_that_is_not_part_of_it_is_not_found(browser, path):
    answer = browser.get(f"/docs/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")

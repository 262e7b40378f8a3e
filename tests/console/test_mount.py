import pytest
from flask import Flask, request, url_for
from werkzeug.test import Client

from notify_server.console.mount import Mounted


def speaking(name):
    app = Flask(name)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/", endpoint="root")
    @app.get("/<path:path>", endpoint="below")
    def said(path=""):
        return f"{name} {request.path} {url_for('root')}"

    return app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/console", "console / /console/"),
        ("/console/", "console / /console/"),
        ("/console/a/b", "console /a/b /console/"),
        ("/", "api / /"),
        ("/consoles", "api /consoles /"),
        ("/v1/console/x", "api /v1/console/x /"),
    ],
)
def test_a_path_leads_to_one_of_two_applications(path, expected):
    assert Client(Mounted(speaking("api"), speaking("console"))).get(path).text == expected


def test_both_may_hang_deeper():
    client = Client(Mounted(speaking("api"), speaking("console")))
    answer = client.get("/console/x", environ_overrides={"SCRIPT_NAME": "/notify", "PATH_INFO": "/console/x"})
    assert answer.text == "console /x /notify/console/"

from flask import Flask, g

from notify_server.api import context
from notify_server.services.server_tokens import Client


def test_each_application_has_its_own_services(app, services):
    other = Flask("other")
    context.attach(other, "other services")
    with app.app_context():
        assert context.services() is services
        with other.app_context():
            assert context.services() == "other services"


def test_a_request_knows_who_calls(app):
    client = Client("c", "name", frozenset())
    with app.test_request_context("/"):
        g.user, g.client = "u1", client
        assert (context.current_user(), context.current_client()) == ("u1", client)

import pytest
from flask import Flask, g

from notify_server.api import context
from notify_server.errors import Forbidden
from notify_server.services.server_tokens import Client, Scope


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


def test_a_route_for_either_token_knows_which_came(app):
    with app.test_request_context("/"):
        g.client = Client("c", "name", frozenset())
        assert context.own_user() is None
    with app.test_request_context("/"):
        g.user = "u1"
        assert context.own_user() == "u1"


def test_a_scope_is_required_of_server_tokens_alone(app):
    with app.test_request_context("/"):
        g.user = "u1"
        context.require_scope(Scope.USERS)
    with app.test_request_context("/"):
        g.client = Client("c", "name", frozenset({Scope.READ}))
        context.require_scope(Scope.READ)
        with pytest.raises(Forbidden, match="scope users"):
            context.require_scope(Scope.USERS)

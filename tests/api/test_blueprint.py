from flask import Flask
from marshmallow import Schema, fields

from notify_server.api import problems
from notify_server.api.blueprint import Routes
from tests.api.caller import refused


class Body(Schema):
    name = fields.String(required=True)


def test_arguments_are_read_strictly_and_refused_by_name():
    routes = Routes("things", __name__)

    @routes.route("/things", methods=["POST"])
    @routes.arguments(Body)
    @routes.response(200, Body)
    def make(body):
        return body

    app = Flask(__name__)
    app.register_blueprint(routes)
    problems.install(app)
    client = app.test_client()
    assert client.post("/things", json={"name": "n"}).json == {"name": "n"}
    refused(client.post("/things", json={"name": 1, "other": 2}), 422, "name", "other")
    refused(client.post("/things", data='{"name": "a", "name": "b"}', content_type="application/json"), 422, "name")

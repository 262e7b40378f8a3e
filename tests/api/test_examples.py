import pytest

from notify_server.api.examples import EXAMPLES, PROBLEMS

ANYWHERE = {
    "user_id": "u1",
    "group_id": "class-101",
    "category_id": "booking",
    "device_id": "phone",
    "template_name": "ticket_purchased",
    "action_name": "ticket_purchased",
    "version": "1",
    "token_id": "1f0c93ab52de",
    "notification_id": "6b007bddabf10665a8c867db",
    "mail_id": "6b007bddabf10665a8c867db9f2c41d07be3a865",
    "link": "dGhpcyBpcyBub3QgYSBsaW5rIG9mIG91cnM",
}


def bodies(document):
    """Every route that takes a body, and the example of it."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "parameters" and "requestBody" in operation:
                [(media_type, media)] = operation["requestBody"]["content"].items()
                yield method.upper(), path.format_map(ANYWHERE), media_type, media["example"]


@pytest.fixture
def device(device_of):
    return device_of("u1")


def test_every_example_of_a_body_is_taken_by_its_route(app, backend, device):
    """As far as what it names is there: else it is not found, but never invalid."""
    found = {}
    for method, path, media_type, example in bodies(app.extensions["openapi"]):
        caller = device if path.startswith(("/v1/me/", "/jsonapi/")) else backend
        answer = caller(method, path, json=example, headers={"Content-Type": media_type})
        found[method, path] = answer.status_code
    assert len(found) >= 15
    assert {status for status in found.values() if status >= 400} == {404}
    assert {path.split("/")[2] for (_, path), status in found.items() if status == 404} == {
        "me",
        "notifications",
        "tokens",
    }


def test_no_example_is_left_over(app):
    assert EXAMPLES.keys() <= app.extensions["openapi"]["components"]["schemas"].keys()


def test_a_problem_says_its_own_status():
    assert all(problem["status"] == int(status) for status, problem in PROBLEMS.items())

from notify_server.api.asyncapi_messages import EVENTS, SCHEMAS


def test_every_argument_has_a_schema_and_every_schema_is_an_argument():
    arguments = {argument for _, _, named, _ in EVENTS.values() for argument in named}
    assert arguments == SCHEMAS.keys() | {"InboxItem"}  # which the HTTP API describes


def test_what_is_told_says_no_more_than_its_schema():
    closed = {name for name, schema in SCHEMAS.items() if schema.get("additionalProperties") is False}
    assert SCHEMAS.keys() - closed == {"Auth", "Refused", "Payload", "Acknowledgement"}

from notify_server.api.schemas.operations import StatusSchema


def test_a_probe_is_told_one_word():
    assert StatusSchema().dump({"status": "ready", "more": 1}) == {"status": "ready"}

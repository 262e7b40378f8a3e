from notify_server.simulator.problems import flatten


def test_nested_messages_get_the_path_of_their_field() -> None:
    nested = {"a": {"b": ["one", "two"]}, "c": ["three"], 0: {"d": ["four"]}}
    assert flatten(nested) == {"a.b": ["one", "two"], "c": ["three"], "0.d": ["four"]}


def test_messages_without_a_field_have_an_empty_path() -> None:
    assert flatten(["wrong"]) == {"": ["wrong"]}

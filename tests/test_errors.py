import re

from notify_server import errors
from notify_server.errors import InvalidInput, NotifyError, Refused


def _below(error: type[Exception]) -> set[type[Exception]]:
    return {error}.union(*(_below(child) for child in error.__subclasses__()))


def test_the_tree_in_the_docstring_is_the_tree_of_the_module() -> None:
    drawn = set(re.findall(r"^[ │├└─]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)) - {"Every"}
    assert drawn == {error.__name__ for error in _below(NotifyError) if error.__module__ == errors.__name__}


def test_every_refusal_has_a_status_of_the_contract_and_a_title() -> None:
    refusals = [error for error in _below(Refused) if isinstance(error, type) and issubclass(error, Refused)]
    assert {refusal.status for refusal in refusals} == {400, 401, 403, 404, 409, 422, 429}
    assert all(refusal.title for refusal in refusals)


def test_invalid_input_names_each_field() -> None:
    error = InvalidInput({"message.title": ("Too long.",), "ttl": ["Not a number.", "Missing."]})
    assert str(error) == "message.title: Too long.; ttl: Not a number. Missing."
    assert error.errors == {"message.title": ["Too long."], "ttl": ["Not a number.", "Missing."]}

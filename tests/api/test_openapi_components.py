import pytest
from marshmallow import ValidationError

from notify_server.api.openapi_components import HEADERS, headers_of, path_parameter
from notify_server.api.schemas.fields import Id


def test_a_path_parameter_is_as_long_as_an_id_may_be():
    longest = path_parameter("user_id")["schema"]["maxLength"]
    assert Id().deserialize("x" * longest)
    with pytest.raises(ValidationError):
        Id().deserialize("x" * (longest + 1))


def test_a_parameter_that_nobody_described_is_refused():
    with pytest.raises(KeyError):
        path_parameter("unheard_of")


def test_an_answer_tells_how_its_caller_stands_and_what_to_do():
    assert headers_of("200", {}).keys() == {"RateLimit", "RateLimit-Policy"}
    assert headers_of("202", {"Location": {}}).keys() == {"RateLimit", "RateLimit-Policy", "Location"}
    assert headers_of("401", {}).keys() == {"RateLimit", "RateLimit-Policy", "WWW-Authenticate"}
    for status in ("429", "503"):
        assert headers_of(status, {}).keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    assert headers_of("401", {}).keys() <= HEADERS.keys()

from notify_server.domain.device import Target, TargetType
from tests.builders import a_device


def test_a_target_shows_only_its_end_where_it_might_be_logged() -> None:
    target = Target(TargetType.TOKEN, "a-secret-registration-token")
    assert repr(target) == "Target(token, …oken)"
    assert "secret" not in repr(a_device("u1", target=target.value))


def test_targets_of_different_types_differ_though_they_read_alike() -> None:
    assert Target(TargetType.TOKEN, "x") != Target(TargetType.FID, "x")


def test_the_types_are_named_as_fcms_fields() -> None:
    assert list(TargetType) == ["token", "fid"]

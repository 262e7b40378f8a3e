import os
from ipaddress import ip_network

import pytest

from notify_server import config
from notify_server.errors import ConfigurationError

SECRET = "0123456789abcdefghijklmnopqrstuv"  # as short as it may be


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("NOTIFY_")]:
        monkeypatch.delenv(name)


def test_without_any_variable_the_defaults_hold() -> None:
    loaded = config.load()
    assert (loaded.host, loaded.port, loaded.realtime_port, loaded.simulator_port) == ("127.0.0.1", 8000, 8001, 8002)
    assert str(loaded.data_dir) == "var"
    assert loaded.fcm_endpoint == "https://fcm.googleapis.com"
    assert (loaded.jwt_secret, loaded.jwt_secret_previous, loaded.jwt_jwks_url) == ("", "", "")  # no default secret
    assert not loaded.takes_user_tokens


def test_every_problem_is_told_at_once_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "NOTIFY_PORT": "0",
        "NOTIFY_WEB_PROCESSES": "many",
        "NOTIFY_JWT_SECRET": "short",
        "NOTIFY_JWT_SECRET_PREVIOUS": "short",
        "NOTIFY_JWT_JWKS_URL": "http://issuer.example/keys",
        "NOTIFY_MONGODB_URI": "http://database",
        "NOTIFY_FCM_ENDPOINT": "http://insecure",
        "NOTIFY_FCM_CA_FILE": "/nowhere/ca.pem",
        "NOTIFY_LEASE": "0",
        "NOTIFY_FCM_RATE": "0",
        "NOTIFY_FCM_RAMP": "-1",
        "NOTIFY_FCM_TRANSPORT": "pigeon",
        "NOTIFY_MAX_BODY": "999999999",
        "NOTIFY_WEB_CONNECTIONS": "1",
        "NOTIFY_HEADER_TIMEOUT": "0",
        "NOTIFY_BODY_TIMEOUT": "-1",
        "NOTIFY_RATE_SERVER": "-1",
        "NOTIFY_RATE_USER": "nan",
        "NOTIFY_RATE_REFUSED": "inf",
        "NOTIFY_REALTIME_CONNECTIONS": "0",
        "NOTIFY_REALTIME_UNPROVED_CONNECTIONS": "0",
        "NOTIFY_REALTIME_USER_CONNECTIONS": "-1",
        "NOTIFY_REALTIME_CONNECT_TIMEOUT": "0",
        "NOTIFY_REALTIME_EVENT_RATE": "0",
        "NOTIFY_REALTIME_EVENT_BURST": "0",
        "NOTIFY_REALTIME_BUFFER": "1024",
        "NOTIFY_REALTIME_SPREAD": "26",
        "NOTIFY_REALTIME_ORIGINS": "https://app.example.org/path",
        "NOTIFY_LINK_SCHEMES": "https,javascript",
        "NOTIFY_LINK_HOSTS": "example.org,a/b",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        config.load()
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(wrong)
    assert "short" not in str(caught.value)  # a secret is not repeated, however bad


def test_values_are_read_and_a_trailing_slash_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_FCM_ENDPOINT", "https://127.0.0.1:8002/")
    monkeypatch.setenv("NOTIFY_JWT_SECRET", SECRET)
    monkeypatch.setenv("NOTIFY_LEASE", "2.5")
    monkeypatch.setenv("NOTIFY_FCM_RATE", "250")
    monkeypatch.setenv("NOTIFY_FCM_RAMP", "0")
    loaded = config.load()
    assert (loaded.fcm_endpoint, loaded.jwt_secret, loaded.lease) == ("https://127.0.0.1:8002", SECRET, 2.5)
    assert (loaded.fcm_rate, loaded.fcm_ramp) == (250.0, 0.0)


def refused(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The problems that these variables make."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        config.load()
    return caught.value.problems


@pytest.mark.parametrize("name", ["NOTIFY_JWT_SECRET", "NOTIFY_JWT_SECRET_PREVIOUS"])
@pytest.mark.parametrize(
    "value",
    [
        SECRET[:-1],
        "s" * config.MIN_SECRET,
        "changeme" * 4 + "c",
        SECRET + "\n",
        " " + SECRET,
        "-----BEGIN PUBLIC KEY-----" + SECRET,
        "ssh-rsa " + SECRET,
    ],
)
def test_a_secret_that_is_none_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"NOTIFY_JWT_SECRET": SECRET[::-1]} | {name: value}
    [problem] = refused(whole, monkeypatch)
    assert problem.startswith(f"{name}: ")
    assert value not in problem


@pytest.mark.parametrize(
    "environment",
    [
        {"NOTIFY_JWT_SECRET_PREVIOUS": SECRET},
        {"NOTIFY_JWT_SECRET_PREVIOUS": SECRET, "NOTIFY_JWT_SECRET": SECRET},
        {"NOTIFY_JWT_JWKS_ISSUER": "https://issuer.example"},
        {"NOTIFY_JWT_JWKS_AUDIENCE": "app"},
        {"NOTIFY_DEMO": "true", "NOTIFY_HOST": "0.0.0.0"},
    ],
)
def test_settings_that_contradict_one_another_are_refused(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [problem] = refused(environment, monkeypatch)
    assert problem.startswith(f"{next(iter(environment))}: ")
    assert SECRET not in problem


def test_a_contradiction_is_told_along_with_what_is_wrong_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"NOTIFY_JWT_SECRET_PREVIOUS": SECRET, "NOTIFY_PORT": "0", "NOTIFY_JWT_JWKS_ISSUER": "i"}
    assert {problem.partition(":")[0] for problem in refused(wrong, monkeypatch)} == set(wrong)


@pytest.mark.parametrize(
    "url",
    [
        *("http://issuer.example/keys", "ftp://127.0.0.1/", "file:///etc/passwd", "keys", "https://", "https:///keys"),
        *(
            "https://user:pass@issuer.example/",
            "https://a b/",
            "https://[::1",
            "https://a:b/",
            "http://127.0.0.1.example/",
        ),
        *("http://localhost.example/", "http://10.0.0.1/", "https://a\n.example/"),
    ],
)
def test_a_key_set_is_fetched_by_https_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused({"NOTIFY_JWT_JWKS_URL": url}, monkeypatch)
    assert problem.startswith("NOTIFY_JWT_JWKS_URL: ")


@pytest.mark.parametrize(
    "url",
    [
        *("https://issuer.example/.well-known/jwks.json", "https://10.0.0.1:8443/keys", "http://127.0.0.1:9/keys"),
        *("http://localhost/", "http://[::1]:9/"),
    ],
)
def test_or_on_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_JWT_JWKS_URL", url)
    loaded = config.load()
    assert loaded.jwt_jwks_url == url
    assert loaded.takes_user_tokens


def test_a_secret_and_the_one_before_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_JWT_SECRET", SECRET)
    monkeypatch.setenv("NOTIFY_JWT_SECRET_PREVIOUS", SECRET[::-1])
    loaded = config.load()
    assert (loaded.jwt_secret, loaded.jwt_secret_previous) == (SECRET, SECRET[::-1])
    assert loaded.takes_user_tokens


def test_the_configuration_does_not_show_its_secrets() -> None:
    assert SECRET not in repr(config.Config(jwt_secret=SECRET, mongodb_uri=f"mongodb://u:{SECRET}@host"))


def test_links_are_allowed_by_names_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (config.load().link_schemes, config.load().link_hosts) == (("https",), ())
    monkeypatch.setenv("NOTIFY_LINK_SCHEMES", "")
    assert config.load().link_schemes == ("https",)
    monkeypatch.setenv("NOTIFY_LINK_SCHEMES", "https,MyApp")
    monkeypatch.setenv("NOTIFY_LINK_HOSTS", "Example.org,*.shop.example,booking")
    loaded = config.load()
    assert loaded.link_schemes == ("https", "myapp")
    assert loaded.link_hosts == ("example.org", "*.shop.example", "booking")


@pytest.mark.parametrize("value", [*sorted(config.UNSAFE_SCHEMES), "JavaScript", "my app", "https://", "1a", "https,"])
def test_a_scheme_that_runs_what_is_in_the_link_cannot_be_allowed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused({"NOTIFY_LINK_SCHEMES": value}, monkeypatch)
    assert problem.startswith("NOTIFY_LINK_SCHEMES: ")


@pytest.mark.parametrize("value", ["*", "*.", "a b", "https://a", "a:80", "a..b", "*.*.a", "bücher.example", "a,"])
def test_a_host_that_is_none_cannot_be_allowed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused({"NOTIFY_LINK_HOSTS": value}, monkeypatch)
    assert problem.startswith("NOTIFY_LINK_HOSTS: ")


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1")
    assert config.load().trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1"))
    [problem] = refused({"NOTIFY_TRUSTED_PROXIES": "10.0.0.0/8,proxy.example"}, monkeypatch)
    assert problem.startswith("NOTIFY_TRUSTED_PROXIES: ")
    assert "proxy.example" in problem


def test_no_device_is_removed_before_it_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = refused({"NOTIFY_DEVICE_STALE_DAYS": "30", "NOTIFY_DEVICE_REMOVE_DAYS": "29"}, monkeypatch)
    assert problem.startswith("NOTIFY_DEVICE_STALE_DAYS: ")


def test_origins_of_browsers_are_any_unless_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.load().realtime_origins == ("*",)
    monkeypatch.setenv("NOTIFY_REALTIME_ORIGINS", "https://App.example.org,http://localhost:3000")
    assert config.load().realtime_origins == ("https://app.example.org", "http://localhost:3000")
    [problem] = refused({"NOTIFY_REALTIME_ORIGINS": "app.example.org"}, monkeypatch)
    assert problem.startswith("NOTIFY_REALTIME_ORIGINS: ")

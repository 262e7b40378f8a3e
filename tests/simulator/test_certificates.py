import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from notify_server.simulator.certificates import ensure


def _names(path: Path) -> tuple[set[str], set[str]]:
    leaf = x509.load_pem_x509_certificate(path.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names.get_values_for_type(x509.DNSName)), set(map(str, names.get_values_for_type(x509.IPAddress)))


def test_the_certificate_names_the_loopback_and_the_host_asked_for(tmp_path: Path) -> None:
    found = ensure(tmp_path / "new", "simulator.internal")
    assert _names(found.cert) == ({"localhost", "simulator.internal"}, {"127.0.0.1", "::1"})
    assert str(ip_address("10.0.0.1")) in _names(ensure(tmp_path / "ip", "10.0.0.1").cert)[1]


def test_the_key_is_for_its_owner_only_and_fits_the_certificate(tmp_path: Path) -> None:
    found = ensure(tmp_path)
    assert found.key.stat().st_mode & 0o777 == 0o600
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(found.cert, found.key)
    assert ssl.create_default_context(cafile=found.ca).cert_store_stats()["x509_ca"] == 1


def test_good_certificates_are_used_again(tmp_path: Path) -> None:
    before = ensure(tmp_path).cert.read_bytes()
    assert ensure(tmp_path).cert.read_bytes() == before


def test_certificates_for_another_host_are_replaced(tmp_path: Path) -> None:
    before = ensure(tmp_path).cert.read_bytes()
    assert ensure(tmp_path, "other.internal").cert.read_bytes() != before


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_broken_missing_or_foreign_file_is_replaced(tmp_path: Path, name: str) -> None:
    foreign = ensure(tmp_path / "foreign")
    found = ensure(tmp_path / "own")
    for damage in (b"", b"not PEM", (foreign.ca.parent / name).read_bytes()):
        before = found.cert.read_bytes()
        (tmp_path / "own" / name).write_bytes(damage)
        ensure(tmp_path / "own")
        assert found.cert.read_bytes() not in (before, damage)
        leaf = x509.load_pem_x509_certificate(found.cert.read_bytes())
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(found.ca.read_bytes()))


def test_a_certificate_about_to_end_is_replaced(tmp_path: Path) -> None:
    before = ensure(tmp_path, lifetime=timedelta(hours=1)).cert.read_bytes()
    renewed = ensure(tmp_path).cert.read_bytes()
    assert renewed != before
    assert x509.load_pem_x509_certificate(renewed).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)

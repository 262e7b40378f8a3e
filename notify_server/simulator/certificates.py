"""A certificate authority of our own, and the server certificate that it signs."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notify_server.simulator.files import write

HOSTS = ("localhost", "127.0.0.1", "::1")
LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of three PEM files: whom to trust, what the server shows, and its private key (mode 0600)."""

    ca: Path
    cert: Path
    key: Path


def ensure(directory: Path, host: str = "localhost", lifetime: timedelta = LIFETIME) -> Certificates:
    """Certificates in `directory` that name `host` besides HOSTS: those already there if they will do, else new ones.

    New ones are good for `lifetime`. The CA's private key is thrown away after use: nothing else can ever be signed.
    """
    found = Certificates(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    hosts = tuple(dict.fromkeys((*HOSTS, host)))
    if not _usable(found, hosts):
        os.makedirs(directory, exist_ok=True)
        _issue(found, hosts, datetime.now(UTC) + lifetime)
    return found


def _usable(found: Certificates, hosts: tuple[str, ...]) -> bool:
    try:
        ca = x509.load_pem_x509_certificate(found.ca.read_bytes())
        leaf = x509.load_pem_x509_certificate(found.cert.read_bytes())
        key = serialization.load_pem_private_key(found.key.read_bytes(), None)
        leaf.verify_directly_issued_by(ca)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    fresh = datetime.now(UTC) + RENEW_BEFORE < leaf.not_valid_after_utc
    return fresh and key.public_key() == leaf.public_key() and set(map(_name, hosts)) <= set(names)


def _issue(into: Certificates, hosts: tuple[str, ...], until: datetime) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _subject("Notify Server simulator CA")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    leaf = (
        _builder(_subject("Notify Server simulator"), ca_name, key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    write(into.ca, ca.public_bytes(serialization.Encoding.PEM))
    write(into.cert, leaf.public_bytes(serialization.Encoding.PEM))
    write(into.key, _pem(key), mode=0o600)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    since = datetime.now(UTC) - timedelta(minutes=5)
    return x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), since, until)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

"""Service accounts whose tokens come from the simulator."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from notify_server.simulator.files import write


def service_account(project: str, token_uri: str) -> dict[str, Any]:
    """The content of a service-account file with a fresh RSA key, as google-auth and firebase_admin read it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": f"simulator@{project}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }


def ensure(path: Path, project: str, token_uri: str) -> None:
    """See to it that `path` (mode 0600) holds a service account of `project` with that `token_uri`."""
    try:
        found = json.loads(path.read_bytes())
        if (found["project_id"], found["token_uri"]) == (project, token_uri):
            return
    except (OSError, ValueError, KeyError, TypeError):
        os.makedirs(path.parent, exist_ok=True)
    write(path, json.dumps(service_account(project, token_uri), indent=2).encode(), mode=0o600)

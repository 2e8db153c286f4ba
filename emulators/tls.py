"""A throw-away certificate authority, so that the emulators are reached over real TLS."""

import fcntl
import ssl
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")
"""Names under which an emulator is reached; each is in the server certificate."""


def authority(folder: Path) -> trustme.CA:
    """Load the authority kept in *folder*, or make it; safe when several processes ask at once."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "ca.key", folder / "ca.pem"
    with (folder / "ca.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if key.exists() and certificate.exists():
            return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
        made = trustme.CA(organization_name="Keyturn local cloud")
        key.touch(mode=0o600)
        made.private_key_pem.write_to_path(key)
        made.cert_pem.write_to_path(certificate)
        return made


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS context of an emulator; clients trust ``folder / "ca.pem"``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(folder).issue_cert(*NAMES).configure_cert(context)
    return context

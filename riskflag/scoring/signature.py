"""Signing bundles: whoever holds the key file promoted it, and nobody changed a byte since.

Ed25519. The private half is a file that the person who promotes keeps, outside every workspace; the
public half stands in riskflag.toml, or in the night's environment, and can only check. So whoever
can write the bundles, or even runs the night, cannot make a bundle that the night accepts.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from riskflag.errors import ConfigError, StorageError

#: What is signed begins so: a signature of something else is never one of a bundle.
PURPOSE = b"riskflag bundle\n"


def new_key(path: Path) -> str:
    """Make a key, write its private half to `path` (a new file) and return its public half.

    Raises ConfigError when the file is there already or would lie in a workspace.
    """
    _require_outside(path)
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; a key is never written over.") from None
    except OSError:
        raise StorageError(f"{path} cannot be written; check the folder.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    return key.public_key().public_bytes_raw().hex()


class Signer:
    """The holder of a private key."""

    def __init__(self, path: Path) -> None:
        """Read the key file; raises ConfigError when it is none or lies in a workspace."""
        _require_outside(path)
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError:
            raise ConfigError(f"{path} cannot be read; give the key file to --key.") from None
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"{path} is not a key file; make one with `riskflag key`.")
        self._key = key

    @property
    def public(self) -> str:
        """The public half, in hexadecimal."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, manifest: bytes) -> str:
        """The signature of a manifest in hexadecimal; the same for the same bytes."""
        return self._key.sign(PURPOSE + manifest).hex()


def is_signed(manifest: bytes, signature: bytes, public: str) -> bool:
    """Whether the file content `signature` is the key's signature of the manifest."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature.decode("ascii").strip()), PURPOSE + manifest)
    except (InvalidSignature, ValueError):
        return False
    return True


def _require_outside(path: Path) -> None:
    """A workspace is copied, served and backed up by others: no private key lies in one."""
    from riskflag.workspace import CONFIG_NAME

    folder = path.resolve().parent
    if any((place / CONFIG_NAME).is_file() for place in (folder, *folder.parents)):
        raise ConfigError(f"{path} lies in a workspace; keep the key where only you can read it.")

"""Identifiers and secret values in the forms Entra uses."""

import base64
import random
import string
import uuid

SECRET_ALPHABET = string.ascii_letters + string.digits + "_.-~"


class Ids:
    """Makes identifiers; the same seed gives the same sequence."""

    def __init__(self, seed: int) -> None:
        # Reproducible on purpose: nothing here protects anything real.
        self._random = random.Random(seed)  # noqa: S311

    def guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """A client secret: 40 characters, "8Q~" in places 4 to 6 as real ones have."""
        draw = self._random.choices(SECRET_ALPHABET, k=34)
        head = self._random.choices(string.ascii_letters + string.digits, k=3)
        return "".join(head) + "8Q~" + "".join(draw)

    def joined(self, principal: str) -> str:
        """Id of an app role assignment: the principal and a random guid."""
        return join_guids(principal, self.guid())


def join_guids(*guids: str) -> str:
    """Base64url of the little-endian bytes, as .NET writes guids."""
    raw = b"".join(uuid.UUID(guid).bytes_le for guid in guids)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def is_guid(text: object) -> bool:
    if not isinstance(text, str) or len(text) != 36:
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True

"""One request to the vault, as the operations see it, and the limits it must keep."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from emulators.keyvault.errors import bad_parameter
from emulators.keyvault.tokens import Caller

API_VERSIONS = frozenset(
    {
        "2026-04-01",
        "2025-07-01",
        "7.6",
        "7.5",
        "7.4",
        "7.3",
        "7.2",
        "7.1",
        "7.0",
        "2016-10-01",
    }
)
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
VERSION = re.compile(r"[0-9a-fA-F]{32}")
MAX_VALUE = 25_600
MAX_CONTENT_TYPE = 255
MAX_TAGS = 15
MAX_TAG = 512


class AttributesBody(msgspec.Struct):
    """Attributes as a client sends them."""

    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None


class UpdateBody(msgspec.Struct, rename={"content_type": "contentType"}):
    """Body of an update; also what a set has besides the value."""

    attributes: AttributesBody | None = None
    tags: dict[str, str] | None = None
    content_type: str | None = None


class SetBody(UpdateBody, kw_only=True, rename={"content_type": "contentType"}):
    value: str


class RestoreBody(msgspec.Struct):
    value: str


Body = TypeVar("Body", bound=msgspec.Struct)
Update = TypeVar("Update", bound=UpdateBody)


@dataclass(frozen=True, kw_only=True)
class Call:
    """An authenticated request."""

    name: str
    version: str
    query: Mapping[str, str]
    body: bytes
    base: str
    """Scheme, host and port by which the client called; ids are built from it."""
    path: str
    caller: Caller

    def check(self, *, named: bool) -> None:
        """Refuse what the service refuses before it looks at the operation."""
        version = self.query.get("api-version")
        if version is None:
            raise bad_parameter("api-version must be specified")
        if version not in API_VERSIONS:
            raise bad_parameter(f"api-version {version} is not supported")
        if named and not NAME.fullmatch(self.name):
            raise bad_parameter(f"The request URI contains an invalid name: {self.name}")
        if self.version and not VERSION.fullmatch(self.version):
            raise bad_parameter(f"The request URI contains an invalid version: {self.version}")

    def update(self) -> UpdateBody:
        return _limited(_decoded(self.body, UpdateBody))

    def set(self) -> SetBody:
        body = _limited(_decoded(self.body, SetBody))
        if len(body.value) > MAX_VALUE:
            raise bad_parameter(
                f"Secret is beyond the maximum permitted length of {MAX_VALUE} characters."
            )
        return body

    def restore(self) -> RestoreBody:
        return _decoded(self.body, RestoreBody)


def _decoded(body: bytes, form: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.DecodeError as error:
        raise bad_parameter(f"Property has invalid value: {error}") from error


def _limited(body: Update) -> Update:
    if body.content_type is not None and len(body.content_type) > MAX_CONTENT_TYPE:
        raise bad_parameter(f"contentType is longer than {MAX_CONTENT_TYPE} characters.")
    tags = body.tags or {}
    if len(tags) > MAX_TAGS:
        raise bad_parameter(f"A secret can have at most {MAX_TAGS} tags.")
    if any(len(name) > MAX_TAG or len(value) > MAX_TAG for name, value in tags.items()):
        raise bad_parameter(f"A tag's name and value can have at most {MAX_TAG} characters.")
    return body

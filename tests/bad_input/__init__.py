"""Malformed requests, as data: unit tests and end-to-end tests run the same tables."""

from typing import NamedTuple


class Row(NamedTuple):
    """Bytes that must be refused, and one problem that the refusal must name."""

    id: str
    body: bytes
    field: str
    code: str

"""The base of a profile's parts."""

import msgspec


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An unknown key is an error with its path."""

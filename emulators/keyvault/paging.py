"""Pages of a list, chained by absolute links."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from emulators.keyvault.call import Call
from emulators.keyvault.errors import bad_parameter

PAGE = 25
"""Entries a page when the client does not say, and the most it may ask for (unconfirmed)."""


def page(call: Call, entries: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Answer the page of *entries* (sorted by key) that *call* asks for.

    The link's token is the last key seen, so that a list that changes meanwhile neither repeats
    nor loses what stays.
    """
    size = _size(call)
    after = _after(call)
    rest = [entry for entry in entries if entry[0] > after]
    shown, more = rest[:size], rest[size:]
    link = _link(call, shown[-1][0]) if more else None
    return {"value": [body for _, body in shown], "nextLink": link}


def _size(call: Call) -> int:
    asked = call.query.get("maxresults", str(PAGE))
    if not asked.isdecimal() or not 1 <= int(asked) <= PAGE:
        raise bad_parameter(f"maxresults must be from 1 to {PAGE}, not {asked}")
    return int(asked)


def _after(call: Call) -> str:
    try:
        return base64.urlsafe_b64decode(call.query.get("$skiptoken", "")).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_parameter("$skiptoken is invalid") from error


def _link(call: Call, last: str) -> str:
    """The service writes the port even where it is the default."""
    base = urlsplit(call.base)
    query = {
        "api-version": call.query["api-version"],
        "$skiptoken": base64.urlsafe_b64encode(last.encode()).decode(),
    }
    if "maxresults" in call.query:
        query["maxresults"] = call.query["maxresults"]
    host = f"{base.scheme}://{base.hostname}:{base.port or 443}"
    return f"{host}{call.path}?{urlencode(query, safe='$')}"

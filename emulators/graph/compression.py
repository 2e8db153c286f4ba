"""Answers packed for clients that take them packed, as all of Microsoft's do.

Source: github.com/microsoftgraph/msgraph-sdk-design, middleware/DecompressionHandler.
"""

import zlib
from collections.abc import Mapping

LEVEL = 4
"""Of zlib; what the service uses is not documented, and a page grows by a tenth from 9 to 1."""

GZIP = 31
"""zlib's window bits for the gzip format."""


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether ``Accept-Encoding`` has it, and not with a quality of nothing."""
    for choice in headers.get("Accept-Encoding", "").lower().split(","):
        name, _, quality = choice.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not quality or bool(quality.strip("0."))
    return False


def packed(body: bytes) -> bytes:
    return zlib.compress(body, LEVEL, GZIP)

"""Text that people will read: nothing in it may hide, reorder, or break a line."""

import re
import unicodedata

NAME = r"[a-z](?:[a-z0-9]|-(?!-)){0,119}[a-z0-9]"
"""A connection's name. It becomes a Key Vault secret's name (at most 127 letters, digits and
hyphens); with ``--next`` appended, that of the staged secret, hence no double hyphen."""

_NAME = re.compile(NAME)

_HIDDEN = {
    "Cc": "control character",
    "Cf": "invisible formatting character",  # zero width, bidirectional overrides, tags
    "Cs": "lone surrogate",
    "Co": "private use character",
    "Zl": "line separator",
    "Zp": "paragraph separator",
}
"""Unicode general categories that nothing shows, or that change how the rest is shown."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category, yet drawn as nothing."""


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def unsafe(text: str) -> str | None:
    """Describe the first character that must not be in a text; None when there is none."""
    if text.isascii() and text.isprintable():
        return None
    for character in text:
        point = ord(character)
        kind = _HIDDEN.get(unicodedata.category(character))
        if character in _BLANK:
            kind = "blank character"
        elif point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
            kind = "noncharacter"
        if kind:
            return f"U+{point:04X} ({kind})"
    return None


def shown(text: str, limit: int) -> str:
    """*text* fit to be shown and encoded: unsafe characters escaped, the end cut off."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            f"\\u{ord(character):04x}" if unsafe(character) else character for character in text
        )
    return text if len(text) <= limit else text[: limit - 1] + "…"

"""What the linter finds."""

from typing import Literal

import msgspec

Level = Literal["error", "warning", "info"]


class Finding(msgspec.Struct, frozen=True):
    """One thing: `path` is the place in the YAML, `meant` what was probably wanted."""

    level: Level
    code: str
    path: str
    message: str
    meant: str = ""

    def shown(self, file: str) -> str:
        """``file: path: CODE: message``, with the level where it is not an error."""
        level = "" if self.level == "error" else f" ({self.level})"
        hint = f"; did you mean {self.meant}?" if self.meant else ""
        place = f"{self.path}: " if self.path else ""
        return f"{file}: {place}{self.code}{level}: {self.message}{hint}"


def error(code: str, path: str, message: str, meant: str = "") -> Finding:
    return Finding("error", code, path, message, meant)


def warning(code: str, path: str, message: str, meant: str = "") -> Finding:
    return Finding("warning", code, path, message, meant)


def info(code: str, path: str, message: str, meant: str = "") -> Finding:
    return Finding("info", code, path, message, meant)

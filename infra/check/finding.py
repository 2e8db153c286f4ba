"""One mistake, with the place where it is."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """Sorts by place; prints as one line that editors can jump to."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"

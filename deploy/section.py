"""What is planned, in sections that a person reads before anything is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Change:
    """One write: what it does, why, and the directory role that whoever makes it needs."""

    what: str
    why: str
    role: str
    make: Callable[[], Awaitable[None]]


@dataclass
class Section:
    """What is there already, what is to be done, and what a person should know."""

    title: str
    there: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [self.title]
        lines += [f"    is there  {line}" for line in self.there]
        for change in self.changes:
            lines += [f"  * will {change.what}", f"        {change.why}"]
        if not self.changes:
            lines.append("    nothing to do")
        lines += [f"  ! {note}" for note in self.notes]
        return "\n".join(lines) + "\n"

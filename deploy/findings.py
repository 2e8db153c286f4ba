"""What `doctor` finds, one line for each thing, and how a run of it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

OK, WARNING, FAILED = "ok", "warning", "FAILED"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, from outside or by an app itself."""

    status: str
    where: str
    message: str = ""
    remedy: str = ""

    def text(self) -> str:
        line = f"{self.status:8} {self.where}"
        if self.message:
            line += f": {' '.join(self.message.split())}"
        return f"{line}\n{'':9}-> {self.remedy}" if self.remedy else line


def summary(found: Sequence[Finding]) -> str:
    failed = [each for each in found if each.status == FAILED]
    warned = [each for each in found if each.status == WARNING]
    if failed:
        return f"{len(failed)} things are wrong, {len(warned)} to be looked at."
    if warned:
        return f"It works; {len(warned)} things to be looked at."
    return "Everything is as it should be."

"""A person's word about removals that a scan held."""

from shared.model.connection import Value
from shared.model.scan import APPROVE, DROP
from shared.requests.decisions import MAX_REASON
from shared.requests.document import read
from shared.requests.problem import Problem, Problems, one_of
from shared.requests.request import check_text

VERDICTS = (APPROVE, DROP)


class Verdict(Value, frozen=True):
    """Whether what is held goes, and why."""

    choice: str
    reason: str

    @property
    def approves(self) -> bool:
        return self.choice == APPROVE


def check_removals(body: bytes) -> Verdict | list[Problem]:
    """Read the body of ``POST .../discoveries/{operation}/removals``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("decision", "reason"), "")
    choice = document.get("decision")
    if choice is None or choice == "":
        found.missing("decision", one_of(VERDICTS))
    elif choice not in VERDICTS:
        found.invalid("decision", "decision is not one that can be made", one_of(VERDICTS))
    reason = check_text(document, "reason", MAX_REASON, found)
    if document.get("reason") in (None, ""):
        found.missing("reason", "say why: it goes into the audit history")
    return found.listed() or Verdict(choice=str(choice), reason=reason)

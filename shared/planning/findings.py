"""What becomes of findings from one look to the next, and what people may decide about them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from shared.model.connection import Value
from shared.model.finding import (
    Choice,
    Decision,
    Finding,
    Item,
    Observed,
    State,
    What,
)

MOST = 40
"""Findings of a connection that are kept while they last; a row of the ledger is bounded."""

MOST_CLOSED = 20

REPAIRABLE = frozenset(
    {"CONSENT_MISSING", "CONSENT_DRIFT", "PERM_KIND", "ROLE_MISSING"}
    | {"PUBLIC_FLOW_OFF", "REDIRECT_MISMATCH", "AUTOMATION_NOT_OWNER", "OWNER_MISSING"}
)
"""Codes that may mean that something is missing which can be put back."""

REMOVABLE = frozenset({What.APPLICATION, What.DELEGATED, What.CONFIGURED, What.ROLE})
"""Kinds of things that Keyturn takes away when an approver says so; none of another's."""

_GRAVITY = ("missing", "extra", "foreign")
_RISKS = ("direct", "indirect", "normal")


class Plan(Value, frozen=True):
    """What one look means for what was known."""

    opened: tuple[Finding, ...]
    still: tuple[Finding, ...]
    closed: tuple[Finding, ...]
    to_tell: tuple[Finding, ...]  # of those opened and still there: not told today
    left_out: int  # seen, but more than are kept


def fingerprint(connection: str, seen: Observed) -> str:
    """The same at every look, for every process; another one as soon as the thing is another."""
    item = seen.item
    parts = (connection, seen.verdict, item.what, item.api, item.id, item.scope)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def plan_findings(
    connection: str,
    known: Iterable[Finding],
    found: Iterable[Observed],
    decisions: Mapping[str, Decision],
    now: datetime,
    *,
    complete: bool = True,
    repairing: bool = False,
) -> Plan:
    """Compare what was known with what is *found*; what is not found any more is closed.

    *complete* is False when the look could not show everything: then nothing is closed. While
    *repairing*, what is missing and can be put back is noted as such, before anything is done.
    """
    lasting = {finding.fingerprint: finding for finding in known if finding.closed is None}
    seen = {fingerprint(connection, one): one for one in found}
    ranked = sorted(seen, key=lambda mark: (mark not in lasting, *_rank(seen[mark]), mark))
    opened: list[Finding] = []
    still: list[Finding] = []
    for mark in ranked[:MOST]:
        before = lasting.get(mark)
        present = _seen(mark, seen[mark], before, decisions.get(mark), now)
        if repairing and present.put_back is None and _repairable(present):
            present = replace(present, put_back=now)
        (opened if before is None else still).append(present)
    gone = [finding for mark, finding in lasting.items() if mark not in seen] if complete else []
    unseen = [] if complete else [f for mark, f in lasting.items() if mark not in seen]
    closed = tuple(_close(finding, decisions, now) for finding in gone)
    to_tell = (f for f in (*opened, *still) if f.told != now.date() and not _accepted(f, now))
    return Plan(
        opened=tuple(opened),
        still=(*still, *unseen),
        closed=closed,
        to_tell=tuple(to_tell),
        left_out=max(0, len(ranked) - MOST),
    )


def kept(known: Iterable[Finding], plan: Plan, now: datetime) -> tuple[Finding, ...]:
    """What the ledger is to hold once everything of the plan was told, the latest closed last."""
    told = {finding.fingerprint for finding in plan.to_tell}
    # Decisions about what lasts are a part of their own, and not held twice.
    present = [
        replace(f, told=now.date() if f.fingerprint in told else f.told, decision=None)
        for f in (*plan.opened, *plan.still)
    ]
    marks = {finding.fingerprint for finding in (*present, *plan.closed)}
    before = [f for f in known if f.closed is not None and f.fingerprint not in marks]
    closed = sorted((*plan.closed, *before), key=lambda f: f.closed or now)
    return (*present, *closed[-MOST_CLOSED:])


def decided(finding: Finding, decisions: Mapping[str, Decision]) -> Finding:
    """The finding with the decision that is about it, and not about an earlier opening of it."""
    given = decisions.get(finding.fingerprint)
    if finding.closed is not None:
        return finding
    fits = given is not None and given.opened == finding.first_seen
    return replace(finding, decision=given if fits else None)


def accepted(
    findings: Iterable[Finding], decisions: Mapping[str, Decision], now: datetime
) -> frozenset[Item]:
    """The things that somebody with the right has accepted as they are."""
    present = (decided(finding, decisions) for finding in findings)
    return frozenset(finding.item for finding in present if _accepted(finding, now))


def state_of(finding: Finding, now: datetime) -> State:
    """Of a finding with its decision (see `decided`)."""
    if finding.closed is not None:
        return "closed"
    if _accepted(finding, now):
        return "approved"
    if finding.decision is not None and finding.decision.choice == "remove":
        return "removing"
    return "open"


def to_remove(findings: Iterable[Finding], now: datetime) -> tuple[Finding, ...]:
    """Those whose thing an approver wants away, and that are Keyturn's to take away."""
    return tuple(f for f in findings if state_of(f, now) == "removing" and removable(f))


def removable(finding: Finding) -> bool:
    return finding.verdict == "extra" and finding.item.what in REMOVABLE


def refusal(finding: Finding, choice: Choice) -> tuple[str, str, str] | None:
    """Code, sentence and hint, where that decision cannot be had of that finding."""
    if finding.closed is not None:
        return (
            "FINDING_CLOSED",
            f"{finding.name} is not found any more: {finding.closed_why}",
            "nothing has to be decided about it",
        )
    if choice == "accept" and finding.verdict == "missing":
        return (
            "FINDING_NOT_ACCEPTABLE",
            f"{finding.name} is missing, and the product needs it",
            "send the onboarding request again, or change the connection's features with PATCH",
        )
    if choice == "remove" and not removable(finding):
        return ("FINDING_NOT_REMOVABLE", _not_ours(finding), finding.remedy)
    return None


def _not_ours(finding: Finding) -> str:
    if finding.verdict == "foreign":
        return f"{finding.name} is somebody else's, which Keyturn never takes away"
    if finding.verdict == "missing":
        return f"{finding.name} is missing, so there is nothing to take away"
    return f"{finding.name} is nothing that Keyturn takes away by itself"


def _seen(
    mark: str, seen: Observed, before: Finding | None, given: Decision | None, now: datetime
) -> Finding:
    first = before.first_seen if before else now
    return Finding(
        fingerprint=mark,
        item=seen.item,
        verdict=seen.verdict,
        code=seen.code,
        name=seen.name,
        remedy=seen.remedy,
        risk=seen.risk,
        first_seen=first,
        last_seen=now,
        told=before.told if before else None,
        put_back=before.put_back if before else None,
        decision=given if given is not None and given.opened == first else None,
        actor=before.actor if before else None,
    )


def _close(finding: Finding, decisions: Mapping[str, Decision], now: datetime) -> Finding:
    last = decided(finding, decisions)
    removed = last.decision is not None and last.decision.choice == "remove"
    why = "removed" if removed else "repaired" if finding.put_back else "gone"
    return replace(last, closed=now, closed_why=why)


def _repairable(finding: Finding) -> bool:
    return finding.verdict == "missing" and finding.code in REPAIRABLE


def _accepted(finding: Finding, now: datetime) -> bool:
    given = finding.decision
    if given is None or given.choice != "accept" or finding.closed is not None:
        return False
    return given.until is None or now.date() <= given.until


def _rank(seen: Observed) -> tuple[int, int]:
    return _GRAVITY.index(seen.verdict), _RISKS.index(seen.risk)


def named(findings: Sequence[Finding]) -> str:
    return ", ".join(sorted(finding.name for finding in findings))

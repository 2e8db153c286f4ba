"""What verifications found, and what an approver decides about it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import azure.functions as func

from functions.http import answers, asking, views
from functions.http.call import Connect
from functions.http.connections import find
from shared import onboarding
from shared.model.connection import Connection, Value
from shared.model.finding import (
    Actor,
    Choice,
    Decision,
    Finding,
    Risk,
    State,
    Verdict,
    What,
)
from shared.planning.access import api_name
from shared.planning.findings import decided, refusal, state_of
from shared.requests.decisions import CHOICES, check_decision
from shared.requests.problem import one_of
from shared.requests.text import shown

PAGE = 100
LONGEST_PAGE = 1000
STATES: tuple[State, ...] = ("open", "approved", "removing", "closed")


class FindingView(Value, frozen=True, omit_defaults=False):
    """One thing that is not as the profile wants it."""

    connection: str
    fingerprint: str
    state: State
    verdict: Verdict
    code: str
    what: What
    name: str
    id: str
    api: str  # name and application id of the API of a permission
    scope: str  # of a role; user of a consent; kind of a configured permission; value of a part
    risk: Risk
    remedy: str
    choices: tuple[Choice, ...]  # what an approver may decide
    first_seen: datetime
    last_seen: datetime
    changed_by: Actor | None  # as far as the tenant's audit log can be read
    decision: Decision | None
    closed: datetime | None
    closed_why: str


class FindingList(Value, frozen=True, omit_defaults=False):
    """Findings by connection and first sight; `next` is the URL of the following page."""

    findings: tuple[FindingView, ...]
    next: str | None


class DecisionView(Value, frozen=True, omit_defaults=False):
    """A finding as decided; `operation` is the verification that acts on it, if it began."""

    finding: FindingView
    operation: str
    status_url: str


async def list_findings(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("state", "limit", "after"))
    _state(given)
    ctx = await connect()
    connection = await find(ctx, name)
    rows = _views([connection], ctx.clock.now())
    return _page(rows, given, f"{views.url(name)}/findings")


async def list_all_findings(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    given = asking.query(req, ("state", "limit", "after"))
    _state(given)
    ctx = await connect()
    rows = _views(await ctx.ledger.connections(), ctx.clock.now())
    return _page(rows, given, "/api/findings")


async def decide_finding(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    fingerprint = req.route_params.get("fingerprint") or ""
    body, caller = asking.body(req), asking.who(req)
    ctx = await connect()
    now = ctx.clock.now()
    wish = asking.checked(check_decision(body, now.date()))
    await find(ctx, name)
    made = await onboarding.decide(
        ctx, name, fingerprint, wish, asked_by=caller.name, principal=caller.id
    )
    view = DecisionView(
        finding=_view(name, made.finding, now),
        operation=made.operation.id if made.operation else "",
        status_url=views.url(name),
    )
    location = {"Location": views.url(name)}
    return answers.ok(view, status=202 if made.operation else 200, headers=location)


def _views(connections: Iterable[Connection], now: datetime) -> list[FindingView]:
    found = []
    for row in sorted(connections, key=lambda row: row.spec.name):
        findings = sorted(row.findings, key=lambda f: (f.first_seen, f.fingerprint))
        found += [_view(row.spec.name, decided(f, row.decisions), now) for f in findings]
    return found


def _view(connection: str, finding: Finding, now: datetime) -> FindingView:
    item = finding.item
    return FindingView(
        connection=connection,
        fingerprint=finding.fingerprint,
        state=state_of(finding, now),
        verdict=finding.verdict,
        code=finding.code,
        what=item.what,
        name=finding.name,
        id=item.id,
        api=api_name(item.api) if item.api else "",
        scope=item.scope,
        risk=finding.risk,
        remedy=finding.remedy,
        choices=tuple(choice for choice in CHOICES if refusal(finding, choice) is None),
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        changed_by=finding.actor,
        decision=finding.decision,
        closed=finding.closed,
        closed_why=finding.closed_why,
    )


def _state(given: Mapping[str, str]) -> str:
    wanted = given.get("state", "")
    if "state" in given and wanted not in STATES:
        message = f"state cannot be {shown(wanted, 60)}"
        raise answers.fault(400, "INPUT_INVALID", message, one_of(STATES), field="state")
    return wanted


def _page(rows: list[FindingView], given: Mapping[str, str], url: str) -> func.HttpResponse:
    """Behind the finding `after`, whatever has become of its state since."""
    limit = asking.count(given, "limit", default=PAGE, most=LONGEST_PAGE)
    wanted, after = _state(given), given.get("after", "")
    start = 0
    if after:
        places = [place for place, row in enumerate(rows) if row.fingerprint == after]
        if not places:
            message = "after is no finding any more"
            hint = "begin again with the first page"
            raise answers.fault(400, "INPUT_INVALID", message, hint, field="after")
        start = places[0] + 1
    rest = [row for row in rows[start:] if not wanted or row.state == wanted]
    page = tuple(rest[:limit])
    more = None
    if len(rest) > limit:
        state = f"&state={wanted}" if wanted else ""
        more = f"{url}?limit={limit}{state}&after={page[-1].fingerprint}"
    return answers.ok(FindingList(findings=page, next=more))

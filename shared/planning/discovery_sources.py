"""The sources of a run, and what becomes of each: read page by page, begun anew, given up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Origin
from shared.model.connection import Value
from shared.model.entities import (
    REGISTRATION,
    SOURCES,
    Page,
    Reading,
)
from shared.model.scan import SourceProgress
from shared.planning.discovery_cookies import Cookie, cookie_of, parsed
from shared.planning.discovery_permissions import missing

RESTARTS = 5
"""Times that a source is begun anew in one run; a token that dies each time never ends."""

TOKEN_EXPIRED, DELTA_EXPIRED = "PAGE_TOKEN_EXPIRED", "DELTA_EXPIRED"
GONE, UNLICENSED, REFUSED = "SOURCE_GONE", "NOT_LICENSED", "AUTOMATION_PRIVILEGE"

ENTITY, ELIGIBLE = "entity", "eligibility"
"""Kinds of sources: a whole kind, who may activate a role; who holds it is of kind ``role``."""

SETTLED = ("complete", "failed")

REPORTED = timedelta(days=1)
"""A report is read so often; it has no changes of its own, and only few requests are allowed."""


class Definition(Value, frozen=True):
    """What a run goes by: what the runs before left to go on from, and what is searched."""

    cookies: Mapping[str, str]
    scope: str
    now: datetime  # when the run began
    forced: bool = False  # everything is to be read


def of_readings(readings: Iterable[Reading], by: Definition) -> tuple[SourceProgress, ...]:
    """Whole kinds: what is new of those that are tracked, else everything."""
    return tuple(_of_reading(reading, by) for reading in readings)


def _of_reading(reading: Reading, by: Definition) -> SourceProgress:
    text = by.cookies.get(reading.key, "")
    source = SourceProgress(key=reading.key, kind=ENTITY, id=reading.kind, name=reading.kind)
    if reading.kind == REGISTRATION:
        known = parsed(text)
        fresh = known is not None and by.now - known.made < REPORTED and not by.forced
        return replace(source, state="complete", full=False, cookie=text) if fresh else source
    if not reading.tracked:
        return source
    if by.forced:
        return replace(source, why="a full run was asked for")
    cookie, why = cookie_of(text, by.scope, by.now)
    return replace(source, full=cookie is None, link=cookie.link if cookie else "", why=why)


def of_origins(origins: Iterable[Origin]) -> tuple[SourceProgress, ...]:
    """Chosen groups, and roles: who holds one and who may activate it are read apart."""
    made = []
    for origin in origins:
        key = f"{origin.kind}/{origin.id}"
        known = SourceProgress(key=key, kind=origin.kind, id=origin.id, name=origin.name)
        made.append(known)
        if origin.kind == "role":
            made.append(replace(known, key=f"{key}/eligible", kind=ELIGIBLE))
    return tuple(made)


def took(
    source: SourceProgress, page: Page, skipped: Mapping[str, int], by: Definition
) -> SourceProgress:
    """The source after a page of it was staged, of which *skipped* rows were left out."""
    found, reason = page.findings, source.reason
    if found.unread and not reason:
        reason = f"{found.unread[0].reason} ({found.unread[0].id})"
    last = not page.next_link
    cookie = _cookie(source, page.delta_link, by) if page.delta_link else source.cookie
    if last and source.id == REGISTRATION:
        cookie = _cookie(source, "", by)
    return replace(
        source,
        state="complete" if last else "reading",
        link=page.next_link,
        pages=source.pages + 1,
        rows=source.rows + len(found.rows) + (len(found.links) if source.id in SOURCES else 0),
        # What was not read is in no later change: the next run reads everything.
        cookie="" if last and reason else cookie,
        reason=reason,
        skipped=dict(Counter(source.skipped) + Counter(skipped)),
    )


def _cookie(source: SourceProgress, link: str, by: Definition) -> str:
    before = parsed(by.cookies.get(source.key, ""))
    full = by.now if source.full or before is None else before.full
    return str(Cookie(link=link, made=by.now, full=full, scope=by.scope))


def refused(source: SourceProgress, problem: NeedsHuman, by: Definition) -> SourceProgress:
    """The source after a page of it was refused: begun anew, or failed."""
    if problem.code == DELTA_EXPIRED and not source.full:
        told = f"{DELTA_EXPIRED}: The delta link expired; a full run was made."
        return replace(_anew(source, full=True, link=""), why=told)
    if problem.code in (TOKEN_EXPIRED, DELTA_EXPIRED) and source.restarts < RESTARTS:
        before = None if source.full else parsed(by.cookies.get(source.key, ""))
        return _anew(source, full=source.full, link=before.link if before else "")
    lacks = missing(source.kind, source.id) if problem.code == REFUSED else ""
    why = f"{problem.code}: {problem.message}"
    return replace(source, state="failed", reason=why, missing=lacks, cookie="")


def anew(source: SourceProgress) -> SourceProgress:
    """The source begun again, everything of it; what was staged of it counts no more."""
    return _anew(source, full=True, link="")


def gone(source: SourceProgress, problem: NeedsHuman) -> SourceProgress:
    """There is no such group or role any more, hence nobody in it."""
    why = f"{problem.code}: {problem.message}"
    return replace(anew(source), state="complete", reason=why)


def _anew(source: SourceProgress, *, full: bool, link: str) -> SourceProgress:
    return replace(
        source,
        state="reading",
        full=full,
        link=link,
        pages=0,
        rows=0,
        cookie="",
        reason="",
        skipped={},
        restarts=source.restarts + 1,
    )


def given_up(source: SourceProgress, code: str, message: str) -> SourceProgress:
    """What it waited for did not come."""
    return replace(source, state="failed", reason=f"{code}: {message}", cookie="")

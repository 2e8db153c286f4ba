"""Findings over time, and verdicts as sets against a model that anybody can read."""

import random
from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.adapters.ledger.columns import pack, unpack
from shared.model.directory import DelegatedGrant, Grant, Kind, Permission, PermissionKey, Resource
from shared.model.finding import Actor, Decision, Finding, Item, Observed, What
from shared.planning.consent import judge
from shared.planning.findings import (
    MOST,
    MOST_CLOSED,
    accepted,
    decided,
    fingerprint,
    kept,
    plan_findings,
    state_of,
)
from shared.planning.observed import ACCEPT, observe
from shared.planning.ownership import Owners
from shared.planning.verification import HeldRole, find_troubles
from shared.requests.decisions import MAX_REASON
from tests.unit.planning.samples import APPLICATION, DAY, NOW, WANTED
from tests.unit.planning.test_verification import GOOD

pytestmark = pytest.mark.requirement("X-08")

BARE = replace(GOOD, permissions=(), judged=())

GRANT = Item(what=What.APPLICATION, id="p-1", api="graph")
EXTRA = Observed(
    item=GRANT, verdict="extra", code="EXTRA_PERMISSION", name="Mail.Send", remedy="remove it"
)
LACK = replace(EXTRA, verdict="missing", code="CONSENT_MISSING")


def look(
    known: tuple[Finding, ...], *found: Observed, day: int = 0, **more: object
) -> tuple[Finding, ...]:
    now = NOW + day * DAY
    decisions: dict[str, Decision] = {}
    decisions.update(more.pop("decisions", {}))  # type: ignore[call-overload] # a dict
    plan = plan_findings("dvls", known, found, decisions, now, **more)  # type: ignore[arg-type]
    return kept(known, plan, now)


def decision(finding: Finding, choice: str = "accept", **more: object) -> dict[str, Decision]:
    made = Decision(
        choice=choice,  # type: ignore[arg-type] # one of two
        reason="CHG",
        by="eve",
        principal="e",
        at=NOW,
        opened=finding.first_seen,
        **more,  # type: ignore[arg-type] # until
    )
    return {finding.fingerprint: made}


def test_the_fingerprint_is_of_the_thing_and_not_of_the_time():
    same = replace(EXTRA, name="renamed", remedy="other", risk="direct")
    assert fingerprint("dvls", same) == fingerprint("dvls", EXTRA)
    others = [
        ("other", EXTRA),
        ("dvls", LACK),
        *(
            ("dvls", replace(EXTRA, item=replace(GRANT, **{part: value})))
            for part, value in (
                ("id", "p-2"),
                ("api", "x"),
                ("scope", "u"),
                ("what", What.DELEGATED),
            )
        ),
    ]
    marks = {fingerprint(name, one) for name, one in others} | {fingerprint("dvls", EXTRA)}
    assert len(marks) == len(others) + 1


def test_opened_still_closed_and_opened_anew():
    (first,) = look((), EXTRA)
    assert (first.first_seen, first.last_seen, first.told) == (NOW, NOW, NOW.date())
    (still,) = look((first,), EXTRA, day=1)
    assert (still.first_seen, still.last_seen) == (NOW, NOW + DAY)
    (closed,) = look((still,), day=2)
    assert (closed.closed, closed.closed_why) == (NOW + 2 * DAY, "gone")
    (anew,) = look((closed,), EXTRA, day=3)
    assert (anew.closed, anew.first_seen) == (None, NOW + 3 * DAY)


def test_a_look_that_cannot_see_everything_closes_nothing():
    known = look((), EXTRA)
    assert look(known, complete=False) == known


def test_it_is_told_once_a_day_and_not_while_it_is_accepted():
    known = look((), EXTRA)
    again = plan_findings("dvls", known, [EXTRA], {}, NOW + timedelta(hours=1))
    assert again.to_tell == ()
    tomorrow = plan_findings("dvls", known, [EXTRA], {}, NOW + DAY)
    assert [f.name for f in tomorrow.to_tell] == ["Mail.Send"]
    given = decision(known[0])
    assert plan_findings("dvls", known, [EXTRA], given, NOW + DAY).to_tell == ()


def test_a_decision_is_good_for_one_opening():
    known = look((), EXTRA)
    given = decision(known[0], until=NOW.date())
    assert accepted(known, given, NOW) == {GRANT}
    assert accepted(known, given, NOW + DAY) == frozenset()
    anew = look(look(known, day=1), EXTRA, day=2)
    assert accepted(anew, decision(known[0]), NOW + 2 * DAY) == frozenset()


@pytest.mark.parametrize(
    ("found", "more", "why"),
    [
        (LACK, {"repairing": True}, "repaired"),
        (LACK, {"repairing": False}, "gone"),
        (EXTRA, {"repairing": True}, "gone"),
        (replace(LACK, code="SP_DISABLED"), {"repairing": True}, "gone"),
    ],
)
def test_why_it_is_over(found: Observed, more: dict[str, object], why: str):
    known = look((), found, **more)
    (closed,) = look(known)
    assert closed.closed_why == why


def test_what_was_taken_away_says_so():
    known = look((), EXTRA)
    given = decision(known[0], "remove")
    (removing,) = look(known, EXTRA, decisions=given)
    assert state_of(decided(removing, given), NOW) == "removing"
    (closed,) = look((removing,), decisions=given)
    assert (closed.closed_why, state_of(closed, NOW)) == ("removed", "closed")


def test_those_that_last_are_kept_before_new_ones_and_the_gravest_before_others():
    many = [replace(EXTRA, item=replace(GRANT, id=f"p-{n}")) for n in range(MOST + 20)]
    known = look((), *many)
    assert len(known) == MOST
    grave = replace(LACK, item=replace(GRANT, id="grave"))
    plan = plan_findings("dvls", known, [*many, grave], {}, NOW + DAY)
    assert (len(plan.still), len(plan.opened), plan.left_out) == (MOST, 0, 21)
    (first, *_) = look((), *many, grave)
    assert first.item.id == "grave"


APIS = tuple(
    Resource(
        app_id=f"api-{a}",
        principal_id=f"sp-{a}",
        permissions=tuple(
            Permission(PermissionKey(resource=f"api-{a}", kind=kind, id=f"{kind}-{n}"), f"P.{n}")
            for kind in Kind
            for n in range(4)
        ),
    )
    for a in range(2)
)
OFFERED = [permission for api in APIS for permission in api.permissions]
USERS = ("", "user-1", "user-2")


@pytest.mark.parametrize("seed", range(300))
def test_verdicts_are_sets(seed: int):
    """Random wishes, registrations and grants; what differs is what set arithmetic says."""
    dice = random.Random(seed)  # noqa: S311 - no secret

    def some(things: list[Permission]) -> list[Permission]:
        return [thing for thing in things if dice.random() < 0.4]

    wanted, configured, granted = some(OFFERED), some(OFFERED), some(OFFERED)
    own = {(u, p.key) for u in USERS for p in OFFERED if p.key.kind == Kind.DELEGATED
           and dice.random() < 0.3}  # fmt: skip
    sp = {api.app_id: api.principal_id for api in APIS}
    roles = [Grant(id=f"g-{p.key}", resource_id=sp[p.key.resource], permission_id=p.key.id)
             for p in granted if p.key.kind == Kind.APPLICATION]  # fmt: skip
    foreign = [Grant(id="f", resource_id="sp-x", permission_id="x")] * dice.randrange(2)
    scopes = [
        DelegatedGrant(
            id=f"d-{user}-{api.app_id}",
            resource_id=api.principal_id,
            scopes=tuple(p.name for p in api.permissions if (user, p.key) in own),
            everybody=not user,
            user=user,
        )
        for user in USERS
        for api in APIS
    ]
    dice.shuffle(scopes)
    judged = judge(wanted, APIS, [*foreign, *roles], scopes)
    evidence = replace(
        GOOD,
        wanted=replace(WANTED, configured=frozenset(p.key for p in wanted)),
        application=replace(APPLICATION, configured=frozenset(p.key for p in configured)),
        permissions=tuple(wanted),
        offered=tuple(OFFERED),
        judged=judged,
    )
    found = {(one.verdict, one.item.what, one.item.api, one.item.id, one.item.scope)
             for one in observe(evidence)}  # fmt: skip
    want = {p.key for p in wanted}
    have = {p.key for p in granted if p.key.kind == Kind.APPLICATION}
    have |= {key for user, key in own if not user}
    asked = {p.key for p in configured}
    granted_as = {Kind.APPLICATION: What.APPLICATION, Kind.DELEGATED: What.DELEGATED}
    model = {
        *(("missing", granted_as[k.kind], k.resource, k.id, "") for k in want - have),
        *(("extra", granted_as[k.kind], k.resource, k.id, "") for k in have - want),
        *(("foreign", What.USER_CONSENT, k.resource, k.id, u) for u, k in own if u),
        *(("missing", What.CONFIGURED, k.resource, k.id, k.kind) for k in want - asked),
        *(("extra", What.CONFIGURED, k.resource, k.id, k.kind) for k in asked - want),
        *(("foreign", What.APPLICATION, "sp-x", "x", "") for _ in foreign),
    }
    assert found == model
    assert bool(found) == bool(find_troubles(replace(evidence, sign_in=None)))


def test_an_adopted_application_has_what_it_has():
    evidence = replace(
        BARE,
        adopted=True,
        roles_extra=(HeldRole(role_id="r", scope="/", name="Reader"),),
        owners=Owners(own="me", of_application=frozenset({"me", "its owner"})),
    )
    assert observe(evidence) == ()
    assert find_troubles(evidence) == []


def test_owners_are_compared_with_ourselves_and_the_profile():
    owners = Owners(
        own="me",
        wanted={"ana-id": "ana"},
        of_application=frozenset({"ana-id", "mallory"}),
        of_principal=frozenset({"me", "trent"}),
    )
    evidence = replace(BARE, owners=owners)
    told = [(one.verdict, one.item.id, one.item.scope) for one in observe(evidence)]
    assert told == [
        ("missing", "me", ""),
        ("extra", "mallory", ""),
        ("extra", "trent", "service principal"),
    ]
    assert [t.code for t in find_troubles(evidence)] == ["AUTOMATION_NOT_OWNER", "OWNER_EXTRA"]


@pytest.mark.diagnosis("OWNER_MISSING")
def test_a_person_who_owns_it_no_longer_is_told_by_name():
    owners = Owners(own="me", wanted={"ana-id": "ana"}, of_application=frozenset({"me"}))
    (trouble,) = find_troubles(replace(GOOD, owners=owners))
    assert trouble.code == "OWNER_MISSING"
    assert "ana" in trouble.message


def test_as_many_as_are_kept_fit_into_a_row_of_the_ledger():
    long = Observed(
        item=Item(what=What.REGISTRATION, id="single-page redirect URIs", scope="u" * 256),
        verdict="extra",
        code="REDIRECT_MISMATCH",
        name=f"single-page redirect URIs: {'u' * 256}",
        remedy=ACCEPT + ACCEPT,
    )
    actor = Actor(name="n" * 100, id="i" * 36, activity="a" * 100, at=NOW)
    many = [replace(long, item=replace(long.item, id=str(n))) for n in range(MOST + MOST_CLOSED)]
    first = [replace(f, actor=actor) for f in look((), *many[:MOST_CLOSED])]
    wish = {"reason": "r" * MAX_REASON, "by": "b" * 100}
    given = {f.fingerprint: replace(decision(f)[f.fingerprint], **wish) for f in first}
    closed = look(tuple(first), *many[MOST_CLOSED:], decisions=given)
    rows = tuple(replace(f, actor=actor) for f in closed)
    assert len(rows) == MOST + MOST_CLOSED
    assert unpack(pack("findings", rows), "findings", tuple[Finding, ...]) == rows
    decisions = {
        f.fingerprint: replace(decision(f)[f.fingerprint], **wish) for f in rows if f.closed is None
    }
    assert unpack(pack("decisions", decisions), "decisions", dict[str, Decision]) == decisions

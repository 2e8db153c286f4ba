"""Sources of a run that may not be read, that vanish, or that say too little."""

from typing import Any

import pytest

from shared.errors import NeedsHuman
from shared.model.accounts import Origin, Through
from shared.model.connection import Status
from tests.fakes import FakeContext
from tests.in_memory.discovery.exporting import exporting, names, status, tenant, user
from tests.in_memory.discovery.killing import survive, world
from tests.in_memory.discovery.scans import NAME, condition, connected, found, refusal, scan

pytestmark = pytest.mark.requirement("X-15")

GONE = NeedsHuman("SOURCE_GONE", "HTTP 404: Graph does not have it (any more).", "Nothing.")
UNLICENSED = NeedsHuman("NOT_LICENSED", "HTTP 400 AadPremiumLicenseRequired", "Buy it.")


async def accounts(ctx: FakeContext) -> dict[str, Any]:
    return {row.display_name: row async for row in ctx.account_store.accounts(NAME)}


# Rights and licences.


@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
async def test_a_kind_that_may_not_be_read_is_named_with_what_is_missing() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    known = tenant(ctx)
    known.remove("sp-1")
    known.remove("user-001")
    known.refused["servicePrincipal"] = refusal()
    summary = await survive(ctx, "o2")
    missing = {source.id: source.missing for source in summary.sources if source.missing}
    assert missing == {"servicePrincipal": "Application.Read.All"}
    assert (summary.state, summary.removed) == ("partial", 1)
    assert "sp-1" in {row.id async for row in ctx.account_store.entities(NAME)}


@pytest.mark.requirement("M-29")
@pytest.mark.parametrize(
    ("problem", "missing"), [(refusal(), "AuditLog.Read.All"), (UNLICENSED, "")]
)
async def test_a_report_that_may_not_be_read_leaves_a_fact_unknown(
    problem: NeedsHuman, missing: str
) -> None:
    ctx = await exporting(read_mfa="yes")
    tenant(ctx).registered = {"user-000": True, "user-001": False}
    await survive(ctx, "o1")
    tenant(ctx).refused["registration"] = problem
    tenant(ctx).put(user(50))
    ctx.clock.advance(days=2)
    summary = await survive(ctx, "o2")
    (report,) = [source for source in summary.sources if source.id == "registration"]
    assert (report.status, report.missing) == ("failed", missing)
    assert summary.state == "succeeded"
    seen = await accounts(ctx)
    assert [seen[name].mfa for name in ("u0", "u1", "u2", "u50")] == [
        "yes",
        "no",
        "unknown",
        "unknown",
    ]


@pytest.mark.requirement("M-29")
async def test_the_report_is_read_once_a_day_however_often_changes_are() -> None:
    ctx = await exporting(read_mfa="yes")
    tenant(ctx).registered = {"user-000": False}
    await survive(ctx, "o1")
    tenant(ctx).registered = {"user-000": True}
    asked = []
    for number in range(30):
        ctx.clock.advance(hours=1)
        ctx.entity_reader.asked.clear()
        summary = await survive(ctx, f"p{number}")
        asked.append(("registration", "") in ctx.entity_reader.asked)
        assert summary.read == "changes"
        assert any(s.id == "registration" for s in summary.sources) == asked[-1]
    assert asked.count(True) == 1
    assert (await accounts(ctx))["u0"].mfa == "yes"


@pytest.mark.requirement("M-29")
async def test_a_report_vouches_for_nobody() -> None:
    ctx = await connected(world=world(), read_mfa="yes")
    people = ctx.account_reader.people
    ada = people.add_user("ada")
    people.add_group("Staff", [ada])
    directory = tenant(ctx)
    for name in ("ada", "bo"):
        directory.put(user(0, id=f"user-{name}"))
        directory.registered[f"user-{name}"] = True
    summary = await survive(ctx, "o1")
    assert (summary.accounts, (await accounts(ctx))["ada"].mfa) == (1, "yes")


async def test_without_a_licence_nobody_is_eligible_and_nothing_is_wrong() -> None:
    ctx = await connected(world=world(), search_mode="roles", filter=["User Administrator"])
    people = ctx.account_reader.people
    role = ctx.tenant.role_ids["User Administrator"]
    people.holders[role] = [people.add_user("ada")]
    calls = []

    def unlicensed(id_: str, link: str) -> None:
        calls.append(id_)
        if len(calls) == 2:  # who holds it was read before
            raise UNLICENSED

    ctx.account_reader.on_page = unlicensed
    summary = await survive(ctx, "o1")
    assert (summary.state, summary.accounts) == ("succeeded", 1)
    assert [source.status for source in summary.sources] == ["complete", "failed"]
    assert "NOT_LICENSED" in summary.sources[1].reason


async def test_when_nothing_may_be_read_a_person_is_told_why() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    for kind in ("user", "group", "directoryRole", "servicePrincipal"):
        tenant(ctx).refused[kind] = refusal()
    summary = await scan(ctx, "o2")
    assert summary.state == "failed"
    problem = await condition(ctx)
    assert (problem.status, problem.reason) == (Status.FALSE, "DISCOVERY_FAILED")
    assert await ctx.account_store.progress(NAME, "o2") is None
    assert len(await names(ctx)) == 12


# Groups that vanish, and groups of which a part cannot be read.


@pytest.mark.diagnosis("SOURCE_GONE")
async def test_a_group_that_is_deleted_after_it_was_listed_is_gone() -> None:
    ctx = await connected(world=world())
    people = ctx.account_reader.people
    ada, bo = people.add_user("ada"), people.add_user("bo")
    people.add_group("A", [ada])
    brief = people.add_group("B", [bo])
    await survive(ctx, "o1")

    def vanish(id_: str, link: str) -> None:
        if id_ == brief:
            people.groups.pop(brief, None)
            raise GONE

    ctx.account_reader.on_page = vanish
    summary = await survive(ctx, "o2")
    assert (summary.state, summary.removed) == ("succeeded", 1)
    assert status(summary)["B"][0] == "complete"
    assert (await found(ctx)).keys() == {"ada"}


@pytest.mark.diagnosis("SOURCE_GONE")
async def test_a_group_that_is_not_found_once_but_listed_keeps_its_members() -> None:
    ctx = await connected(world=world())
    people = ctx.account_reader.people
    people.add_group("A", [people.add_user("ada")])
    there = people.add_group("B", [people.add_user("bo")])
    await survive(ctx, "o1")

    def lost(id_: str, link: str) -> None:
        if id_ == there:
            raise GONE

    ctx.account_reader.on_page = lost
    summary = await survive(ctx, "o2")
    assert (summary.state, summary.removed) == ("partial", 0)
    assert status(summary)["B"] == ("failed", f"SOURCE_GONE: {GONE.message}")
    assert (await found(ctx)).keys() == {"ada", "bo"}


async def test_members_of_a_group_that_cannot_be_read_stay_and_the_others_are_new() -> None:
    ctx = await connected(
        world=world(), profile="pam360", features={"sync": True}, search_mode=None
    )
    known = tenant(ctx)
    people = [known.put(user(number)) for number in range(4)]
    one, other = (known.put(group(name)) for name in ("one", "other"))
    for source, target in ((one, people[0]), (one, people[1]), (other, people[2])):
        known.link("members", source, target)
    await survive(ctx, "o1")
    known.unlink("members", one, people[0])
    known.unlink("members", other, people[2])
    known.link("members", other, people[3])
    known.unread["one"] = ""
    known.unread[one] = "GRAPH_REFUSED: HTTP 500 (request 1b2c)"

    summary = await survive(ctx, "o2")

    assert summary.state == "partial"
    failed = [source for source in summary.sources if source.status == "failed"]
    assert [(source.id, source.reason) for source in failed] == [
        ("membership", f"GRAPH_REFUSED: HTTP 500 (request 1b2c) ({one})")
    ]
    links = {(link.source, link.target) async for link in ctx.account_store.links(NAME)}
    assert links == {(one, people[0]), (one, people[1]), (other, people[3])}
    known.unread.clear()
    assert (await survive(ctx, "o3")).state == "succeeded"
    links = {(link.source, link.target) async for link in ctx.account_store.links(NAME)}
    assert links == {(one, people[1]), (other, people[3])}


def group(name: str) -> Any:
    from shared.model.entities import Entity

    return Entity(kind="group", id=f"group-{name}", display_name=name)


async def test_groups_that_contain_each_other_name_each_account_once() -> None:
    ctx = await connected(world=world(), filter=["A"])
    people = ctx.account_reader.people
    outer = people.add_group("A", [people.add_user("ada")])
    inner = people.add_group("B", [people.add_user("bo"), outer])
    people.members[outer].append(inner)
    await survive(ctx, "o1")
    seen = await found(ctx)
    assert seen.keys() == {"ada", "bo"}
    assert seen["bo"].origins == (
        Origin(kind="group", id=outer, name="A", chain=(Through(id=inner, name="B"),)),
    )


# Names of groups and of administrative units.


@pytest.mark.requirement("D-29")
async def test_a_filter_on_names_stands_for_every_group_that_it_matches() -> None:
    ctx = await connected(world=world(), filter=["startsWith(displayName,'PAM-')", "Side"])
    people = ctx.account_reader.people
    for name in ("PAM-1", "pam-2", "Side", "Other"):
        people.add_group(name, [people.add_user(name.lower())])
    summary = await survive(ctx, "o1")
    assert [source.name for source in summary.sources] == ["PAM-1", "pam-2", "Side"]
    people.add_group("PAM-3", [people.add_user("late")])
    assert "late" in await _found_by(ctx, "o2")


async def _found_by(ctx: FakeContext, operation: str) -> set[str]:
    await survive(ctx, operation)
    return set(await found(ctx))


@pytest.mark.requirement("D-29")
@pytest.mark.diagnosis("FILTER_NOT_FOUND")
async def test_a_filter_that_matches_nothing_is_told() -> None:
    ctx = await connected(filter=["startsWith(displayName,'PAM-')"])
    ctx.account_reader.people.add_group("Staff")
    await scan(ctx, "o1")
    problem = await condition(ctx)
    assert problem.reason == "FILTER_NOT_FOUND"
    assert "PAM-" in problem.message


@pytest.mark.diagnosis("FILTER_NOT_FOUND")
async def test_units_are_named_and_one_that_is_not_there_is_told() -> None:
    ctx = await connected(search_mode="roles", units=["Nowhere"])
    ctx.account_reader.people.units = {"au-1": "Berlin"}
    await scan(ctx, "o1")
    problem = await condition(ctx)
    assert problem.reason == "FILTER_NOT_FOUND"
    assert "'Nowhere'" in problem.message


# Users by their names.


async def named(*names: str) -> FakeContext:
    ctx = await connected(
        world=world(),
        profile="bitwarden-directory-connector",
        features={"sync": True},
        search_mode="users",
        filter=list(names),
    )
    people = ctx.account_reader.people
    for name in ("ada", "bo", "chen"):
        people.add_user(name)
    return ctx


@pytest.mark.requirement("D-29")
async def test_users_who_are_named_are_found_and_no_other() -> None:
    ctx = await named("ada", "BO@contoso.onmicrosoft.com")
    summary = await survive(ctx, "o1")
    seen = await found(ctx)
    assert seen.keys() == {"ada", "bo"}
    assert seen["ada"].origins == (
        Origin(kind="user", id="user-ada", name="ada@contoso.onmicrosoft.com"),
    )
    assert (summary.state, summary.mode, len(summary.sources)) == ("succeeded", "users", 2)


@pytest.mark.requirement("D-29")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("eli", "FILTER_NOT_FOUND"), ("contains(displayName,'a')", "INPUT_INVALID")],
)
async def test_a_name_that_means_nobody(name: str, reason: str) -> None:
    ctx = await named("ada", name)
    await scan(ctx, "o1")
    assert (await condition(ctx)).reason == reason

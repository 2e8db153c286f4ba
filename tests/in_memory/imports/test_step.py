"""Imports as they run: names, groups, MFA, duplicates, synchronisation."""

from datetime import timedelta

import pytest

from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Status
from shared.planning.import_requests import overdue
from tests.in_memory.imports.products import (
    NAME,
    condition,
    connected,
    connection,
    ended,
    people,
    reasons,
    rows,
    run_import,
    store,
    synchronised,
)


@pytest.mark.requirement("M-15", "M-16", "M-24", "M-25")
@pytest.mark.diagnosis("USER_NOT_FOUND", "GROUP_NOT_FOUND")
async def test_every_name_ends_in_one_row_and_the_counts_add_up():
    ctx = await connected()
    reader = ctx.directory_reader
    for name in ("ana", "bo", "cy"):
        reader.people.add_user(name)
    reader.people.add_group("Staff", ["user-bo", "user-cy"])
    summary = await run_import(
        ctx, users=["ana@CONTOSO.onmicrosoft.com", "nobody"], groups=["staff", "Ghosts"]
    )
    assert await reasons(ctx, summary) == {
        "ana": ("imported", ""),
        "bo": ("imported", ""),
        "cy": ("imported", ""),
        "nobody": ("failed", "USER_NOT_FOUND:nobody"),
        "Ghosts": ("failed", "GROUP_NOT_FOUND:Ghosts"),
    }
    assert (summary.state, summary.input, summary.imported, summary.failed) == ("partial", 5, 3, 2)
    assert summary.imported + summary.failed + summary.skipped + summary.duplicate == 5
    assert summary.reasons == {"GROUP_NOT_FOUND": 1, "USER_NOT_FOUND": 1}
    assert {role for _, role in (await people(ctx)).values()} == {"Password User"}
    told = await condition(ctx)
    assert (told.status, told.reason) == (Status.TRUE, "IMPORT_PARTIAL")
    assert "2 failed" in told.message


@pytest.mark.requirement("M-15")
async def test_a_name_that_means_two_users_fails_with_both():
    ctx = await connected()
    for name in ("ana.one", "ana.two"):
        id_ = ctx.directory_reader.people.add_user(name)
        known = ctx.directory_reader.people.users
        known[id_] = type(known[id_])(**{**_fields(known[id_]), "display_name": "Ana"})
    summary = await run_import(ctx, users=["Ana", "ana.one@contoso.onmicrosoft.com"])
    failed = [row for row in await rows(ctx, summary) if row.state == "failed"]
    assert [row.reason for row in failed] == ["FILTER_AMBIGUOUS:Ana"]
    assert "user-ana.one" in failed[0].message
    assert "user-ana.two" in failed[0].message
    assert summary.imported == 1


@pytest.mark.requirement("D-39", "M-24")
async def test_a_known_user_is_a_duplicate_and_keeps_role_and_date():
    ctx = await connected()
    ctx.directory_reader.people.add_user("ana")
    await run_import(ctx, users=["ana"], roles={"ana@contoso.onmicrosoft.com": "Administrator"})
    first = (await store(ctx)).users[0]
    again = await run_import(ctx, users=["ana", "user-ana"])
    assert (again.input, again.duplicate, again.imported, again.state) == (2, 2, 0, "succeeded")
    known = (await store(ctx)).users[0]
    assert (known.role, known.since) == ("Administrator", first.since)


@pytest.mark.requirement("M-29")
@pytest.mark.diagnosis("MFA_USER_SKIPPED")
async def test_pam360_skips_users_with_mfa():
    ctx = await connected("pam360")
    ctx.directory_reader.mfa.add(ctx.directory_reader.people.add_user("ana"))
    ctx.directory_reader.people.add_user("bo")
    summary = await run_import(ctx, users=["ana", "bo"])
    assert await reasons(ctx, summary) == {
        "ana": ("skipped", "MFA_USER_SKIPPED"),
        "bo": ("imported", ""),
    }
    assert (summary.skipped, summary.imported, summary.input) == (1, 1, 2)
    assert "MFA_USER_SKIPPED" in [warned.code for warned in summary.warnings]
    assert list(await people(ctx)) == ["bo"]


@pytest.mark.requirement("M-30")
@pytest.mark.diagnosis("MFA_LOGIN_BLOCKED")
async def test_password_manager_pro_imports_them_with_a_warning():
    ctx = await connected("password-manager-pro")
    ctx.directory_reader.mfa.add(ctx.directory_reader.people.add_user("ana"))
    summary = await run_import(ctx, users=["ana"])
    assert await reasons(ctx, summary) == {"ana": ("imported", "MFA_LOGIN_BLOCKED")}
    blocked = [warned for warned in summary.warnings if warned.code == "MFA_LOGIN_BLOCKED"]
    assert "ana@contoso.onmicrosoft.com" in blocked[0].message


@pytest.mark.requirement("M-28")
async def test_the_group_structure_is_kept_exactly_even_in_a_circle():
    ctx = await connected()
    tenant = ctx.directory_reader.people
    ana, bo = tenant.add_user("ana"), tenant.add_user("bo")
    inner = tenant.add_group("Inner", [bo])
    middle = tenant.add_group("Middle", [inner, ana])
    outer = tenant.add_group("Outer", [middle, ana])
    tenant.members[inner].append(outer)
    summary = await run_import(ctx, groups=["Outer"])
    kept = await store(ctx)
    assert {(e.parent, e.child) for e in kept.edges} == {
        (outer, middle),
        (middle, inner),
        (inner, outer),
    }
    assert {(m.group, m.user) for m in kept.memberships} == {
        (outer, ana),
        (middle, ana),
        (inner, bo),
    }
    assert (summary.groups, summary.edges, summary.memberships) == (3, 3, 3)
    exported = await rows(ctx, summary)
    assert {(r.group, r.id) for r in exported if r.kind == "edge"} == {
        (e.parent, e.child) for e in kept.edges
    }
    assert (summary.input, summary.imported) == (2, 2)


@pytest.mark.requirement("M-17")
async def test_names_and_ticked_groups_give_the_same_rows():
    results = []
    for wish in ({"groups": ["Staff"]}, {"group_ids": ["group-0-Staff"]}):
        ctx = await connected()
        ctx.directory_reader.people.add_group(
            "Staff", [ctx.directory_reader.people.add_user(name) for name in ("ana", "bo")]
        )
        results.append(await rows(ctx, await run_import(ctx, **wish)))
    assert results[0] == results[1] != []


@pytest.mark.requirement("D-35", "D-36")
async def test_selected_accounts_of_a_discovery_are_imported_and_no_others():
    ctx = await connected("devolutions-server", features={"discovery": True})
    tenant = ctx.account_reader.people
    tenant.add_group("Admins", [tenant.add_user(name) for name in ("ana", "bo")])
    started = await _discover(ctx)
    assert started == {"user-ana": "found", "user-bo": "found"}
    assert (await store(ctx)).users == ()
    summary = await run_import(
        ctx, account_ids=["user-bo", "user-who"], options={"reset_password": True, "path": "/pam"}
    )
    assert await reasons(ctx, summary) == {
        "bo": ("imported", ""),
        "user-who": ("failed", "USER_NOT_FOUND:user-who"),
    }
    assert summary.options == {"reset_password": True, "path": "/pam"}
    assert list(await people(ctx)) == ["bo"]
    assert (await condition(ctx)).reason == "DISCOVERED"


@pytest.mark.requirement("M-19", "M-22", "M-23")
async def test_an_import_with_an_interval_repeats_itself_as_it_was():
    ctx = await connected()
    tenant = ctx.directory_reader.people
    staff = tenant.add_group("Staff", [tenant.add_user("ana")])
    await run_import(ctx, groups=["Staff"], every="PT6H")
    schedule = (await connection(ctx)).import_schedule
    assert schedule is not None and schedule.every == "PT6H"
    tenant.members[staff].append(tenant.add_user("bo"))
    tenant.add_user("cy")
    await run_import(ctx, users=["cy"], every="")  # by hand: the schedule stays as it was
    again = await synchronised(ctx, hours=7)
    assert again.scheduled
    assert await reasons(ctx, again) == {"ana": ("duplicate", "DUPLICATE"), "bo": ("imported", "")}
    due = (await ctx.ledger.due_times(NAME))["import"]
    assert timedelta(hours=5) < due - ctx.clock.now() <= timedelta(hours=6)


@pytest.mark.requirement("M-19")
async def test_missed_runs_are_caught_up_by_one():
    ctx = await connected()
    ctx.directory_reader.people.add_user("ana")
    await run_import(ctx, users=["ana"], every="PT1H")
    before = len(await ctx.import_store.summaries(NAME))
    await synchronised(ctx, hours=30)
    assert len(await ctx.import_store.summaries(NAME)) == before + 1
    assert (await ctx.ledger.due_times(NAME))["import"] > ctx.clock.now()


@pytest.mark.requirement("M-36")
async def test_who_is_gone_is_marked_removed_and_stays():
    ctx = await connected()
    tenant = ctx.directory_reader.people
    staff = tenant.add_group("Staff", [tenant.add_user(name) for name in ("ana", "bo", "cy")])
    await run_import(ctx, groups=["Staff"], every="PT24H")
    tenant.members[staff].remove("user-bo")
    del tenant.users["user-cy"]
    summary = await synchronised(ctx)
    assert summary.removed == 2
    assert await people(ctx) == {
        "ana": ("imported", "Password User"),
        "bo": ("removed", "Password User"),
        "cy": ("removed", "Password User"),
    }
    tenant.members[staff].append("user-bo")
    assert (await synchronised(ctx)).imported == 1
    assert (await people(ctx))["bo"] == ("imported", "Password User")


@pytest.mark.requirement("M-36")
async def test_nobody_is_removed_while_a_group_cannot_be_read():
    ctx = await connected()
    tenant = ctx.directory_reader.people
    tenant.add_group("Staff", [tenant.add_user("ana")])
    await run_import(ctx, groups=["Staff"], every="PT24H")
    refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "Grant it.")
    ctx.tenant.fail("directory_reader.groups_in", refused)
    summary = await synchronised(ctx)
    assert (summary.state, summary.removed, summary.failed) == ("partial", 0, 1)
    assert (await people(ctx))["ana"][0] == "imported"


@pytest.mark.requirement("M-36")
async def test_a_mass_removal_is_told_and_not_done():
    ctx = await connected()
    tenant = ctx.directory_reader.people
    staff = tenant.add_group("Staff", [tenant.add_user(f"user{n}") for n in range(20)])
    await run_import(ctx, groups=["Staff"], every="PT24H")
    tenant.members[staff].clear()
    summary = await synchronised(ctx)
    assert summary.removed == 0
    assert "MASS_REMOVAL" in [warned.code for warned in summary.warnings]
    assert {state for state, _ in (await people(ctx)).values()} == {"imported"}


@pytest.mark.requirement("M-10")
@pytest.mark.diagnosis("DOMAIN_UNVERIFIED")
async def test_a_foreign_domain_stops_the_import():
    ctx = await connected(domain="fabrikam.example")
    ctx.directory_reader.people.add_user("ana")
    summary = await run_import(ctx, users=["ana"], every="PT24H")
    assert (summary.state, (await store(ctx)).users) == ("failed", ())
    told = await condition(ctx)
    assert (told.status, told.reason) == (Status.FALSE, "DOMAIN_UNVERIFIED")
    assert "contoso.onmicrosoft.com" in told.message and told.remedy
    assert "import" in await ctx.ledger.due_times(NAME), "one that fails is not the last"


@pytest.mark.requirement("X-03")
async def test_a_repeated_message_and_a_busy_store_change_nothing():
    ctx = await connected()
    ctx.directory_reader.people.add_user("ana")
    ctx.tenant.fail("import_store.save", TryLater("CONFIG_CONFLICT", "changed"), times=2)
    ctx.tenant.fail("ledger.advance", RuntimeError("crash"))
    with pytest.raises(RuntimeError):
        await run_import(ctx, users=["ana"])
    first = (await ctx.import_store.summaries(NAME))[0]
    assert first.state == "succeeded"
    ctx.clock.advance(hours=1)
    assert await sweep_resumed(ctx) == first
    assert len((await store(ctx)).users) == 1


@pytest.mark.requirement("M-19")
@pytest.mark.diagnosis("SYNC_OVERDUE")
async def test_a_schedule_whose_runs_fail_is_overdue():
    ctx = await connected()
    ctx.directory_reader.people.add_user("ana")
    last = await run_import(ctx, users=["ana"], every="PT2H")
    schedule = (await connection(ctx)).import_schedule
    assert schedule is not None
    assert not overdue(schedule, last, ctx.clock.now() + timedelta(hours=2))
    assert overdue(schedule, last, ctx.clock.now() + timedelta(hours=3))
    assert overdue(schedule, None, schedule.made + timedelta(hours=3))


async def test_everybody_is_imported_only_when_asked_for():
    ctx = await connected()
    for name in ("ana", "bo"):
        ctx.directory_reader.people.add_user(name)
    summary = await run_import(ctx, everyone=True)
    assert summary.imported == 2


async def sweep_resumed(ctx):
    from functions.sweeps import sweep

    await sweep(ctx, "resume")
    return await ended(ctx)


def _fields(row):
    return {name: getattr(row, name) for name in row.__struct_fields__}


async def _discover(ctx):
    from shared.operations import start
    from tests.fakes.drive import drive

    assert await start(ctx, NAME, "discover", "scan-1", asked_by="test", reason="requested")
    await drive(ctx)
    return {a.id: a.state async for a in ctx.account_store.accounts(NAME)}

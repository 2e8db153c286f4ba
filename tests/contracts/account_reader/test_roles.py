"""Roles and who holds them, through the real SDK."""

from datetime import UTC, datetime
from functools import partial

import pytest

from shared.adapters.graph_accounts import GraphAccounts
from shared.errors import NeedsHuman
from shared.model.accounts import Origin
from tests.contracts.account_reader.tenant import ELIGIBLE, Tenant, ids, role
from tests.contracts.reading import page_by_page, whole


class TestRoles:
    async def test_by_name_and_by_template_id(self, reader: GraphAccounts) -> None:
        id_ = "62e90394-69f5-4237-9190-012177145e10"
        wanted = Origin(kind="role", id=id_, name="Global Administrator")
        found = await reader.resolve_roles(["global administrator", id_.upper(), "No such role"])
        assert found == {
            "global administrator": [wanted],
            id_.upper(): [wanted],
            "No such role": [],
        }

    async def test_only_roles_in_use_are_all_roles(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        before = {origin.name for origin in await reader.all_roles()}
        assert "Global Administrator" in before
        assert "Billing Administrator" not in before
        assert "License Administrator" not in before
        ada = await tenant.user("ada")
        await tenant.control(
            "tenant",
            roles=[{"role": "Billing Administrator", "principal": ada}],
            eligibilities=[{"role": "License Administrator", "principal": ada}],
        )
        after = {origin.name for origin in await reader.all_roles()}
        assert after - before == {"Billing Administrator", "License Administrator"}

    async def test_holders_directly_through_groups_and_eligible(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        names = ("ada", "bo", "chen", "dana", "eve")
        ada, bo, chen, dana, eve = [await tenant.user(name) for name in names]
        inner = await tenant.group("Inner", bo)
        outer = await tenant.group("Outer", inner, ada)
        waiting = await tenant.group("Waiting", dana, ada)
        name = "Billing Administrator"
        unit = (await tenant.control("tenant", administrative_units=[{"displayName": "North"}]))[
            "administrative_units"
        ][0]
        await tenant.control(
            "tenant",
            update_users=[{"user": eve, "accountEnabled": False, "userType": "Guest"}],
            roles=[
                {"role": name, "principal": principal}
                for principal in (ada, outer, eve, "Onboarding Automation")
            ]
            + [{"role": name, "principal": ada, "scope": f"/administrativeUnits/{unit}"}],
            eligibilities=[
                {"role": name, "principal": chen, "endDateTime": "2027-03-01T00:00:00Z"},
                {"role": name, "principal": waiting},
            ],
        )

        wanted = await role(reader, name)
        read = partial(reader.holder_pages, wanted)
        active = (await whole(read)).accounts
        ways = {id_: {(*ids(o), o.scope, o.scope_name) for o in row.origins}
                for id_, row in active.items() if row.kind == "user"}  # fmt: skip
        assert ways == {
            ada: {("/", ""), (outer, "/", ""), (unit, "North")},
            bo: {(outer, inner, "/", "")},
            eve: {("/", "")},
        }
        assert [row.kind for id_, row in active.items() if id_ not in ways] == ["servicePrincipal"]
        assert active[eve].guest
        assert not active[eve].enabled
        assert (await page_by_page(read)).accounts == active

        waits = (await whole(partial(reader.holder_pages, wanted, eligible=True))).accounts
        assert {id_: [ids(o) for o in row.origins] for id_, row in waits.items()} == {
            chen: [()],
            dana: [(waiting,)],
            ada: [(waiting,)],
        }
        assert all(row.eligible for row in waits.values())
        dates = {o.until for o in waits[chen].origins}
        assert dates == {datetime(2027, 3, 1, tzinfo=UTC)}
        rows = [*active.values(), *waits.values()]
        assert {(o.kind, o.id, o.name) for row in rows for o in row.origins} == {
            ("role", wanted.id, name)
        }

    async def test_many_holders_over_several_pages(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        people = tenant.running.server.tenant.users
        everybody = {people.id_of(number) for number in range(230)}
        rows = [{"role": "Billing Administrator", "principal": id_} for id_ in everybody]
        await tenant.control("tenant", roles=rows)
        read = partial(reader.holder_pages, await role(reader, "Billing Administrator"))
        found = await page_by_page(read)
        assert found.accounts.keys() == everybody
        assert found.pages > 2

    async def test_a_unit_whose_name_may_not_be_read_goes_by_its_id(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada, name = await tenant.user("ada"), "Billing Administrator"
        made = await tenant.control("tenant", administrative_units=[{"displayName": "North"}])
        (unit,) = made["administrative_units"]
        assert (await reader.unit_names())[unit] == "North"
        await tenant.control(
            "tenant",
            roles=[{"role": name, "principal": ada, "scope": f"/administrativeUnits/{unit}"}],
        )
        call = "GET /directory/administrativeUnits/{id}"
        await tenant.control("faults", call=call, fault={"status": 403})
        found = await whole(partial(reader.holder_pages, await role(reader, name)))
        (origin,) = found.accounts[ada].origins
        assert (origin.scope, origin.scope_name) == (unit, unit)

    @pytest.mark.diagnosis("NOT_LICENSED")
    async def test_without_a_licence_the_roles_in_use_are_known_all_the_same(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada, bo = await tenant.user("ada"), await tenant.user("bo")
        name = "Billing Administrator"
        await tenant.control(
            "tenant",
            roles=[{"role": name, "principal": ada}],
            eligibilities=[{"role": name, "principal": bo}],
        )
        fault = {
            "status": 400,
            "code": "AadPremiumLicenseRequired",
            "message": "The tenant needs an AAD Premium 2 license.",
        }
        await tenant.control("faults", call=ELIGIBLE, fault=fault)
        wanted = await role(reader, name)
        assert (await whole(partial(reader.holder_pages, wanted))).accounts.keys() == {ada}
        with pytest.raises(NeedsHuman) as refused:
            await whole(partial(reader.holder_pages, wanted, eligible=True))
        assert refused.value.code == "NOT_LICENSED"
        assert name in {origin.name for origin in await reader.all_roles()}

    async def test_a_refused_eligibility_is_not_an_empty_one(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        await tenant.control("faults", call=ELIGIBLE, fault={"status": 403})
        read = partial(
            reader.holder_pages, await role(reader, "Billing Administrator"), eligible=True
        )
        with pytest.raises(NeedsHuman) as refused:
            await whole(read)
        assert refused.value.code == "AUTOMATION_PRIVILEGE"

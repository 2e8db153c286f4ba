"""Members of groups, nested ones too, through the real SDK."""

from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from shared.adapters.graph_accounts import GraphAccounts
from shared.errors import NeedsHuman, TryLater
from shared.model.accounts import Account
from tests.contracts.account_reader.tenant import MEMBERS, Tenant, group, ids, opened, through
from tests.contracts.reading import page_by_page, whole


class TestMembers:
    async def test_of_nested_groups_with_the_way_to_each(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada = await tenant.user("ada", mail="ada@contoso.com", onPremisesSyncEnabled=True)
        gus = await tenant.user("Gus#EXT#", userType="Guest")
        dee = await tenant.user("dee", accountEnabled=False)
        bottom = await tenant.group("Bottom", ada, gus)
        middle = await tenant.group("Middle", bottom, dee)
        top = await tenant.group("Top", middle, ada, "Onboarding Automation")
        await tenant.control("tenant", memberships=[{"group": bottom, "member": top}])  # a cycle
        read = partial(reader.member_pages, group(top, "Top"))

        found = (await whole(read)).accounts

        ways = {id_: [ids(origin) for origin in row.origins] for id_, row in found.items()}
        (robot,) = ways.keys() - {ada, gus, dee}
        assert ways == {
            ada: [(), (middle, bottom)],
            dee: [(middle,)],
            gus: [(middle, bottom)],
            robot: [()],
        }
        assert found[ada] == Account(
            id=ada,
            user_principal_name="ada@contoso.onmicrosoft.com",
            display_name="ada",
            enabled=True,
            guest=False,
            mail="ada@contoso.com",
            synced=True,
            origins=(
                group(top, "Top"),
                replace(group(top, "Top"), chain=(through(middle), through(bottom, "Bottom"))),
            ),
        )
        assert found[gus].guest
        assert found[gus].user_principal_name == "Gus#EXT#@contoso.onmicrosoft.com"
        assert not found[dee].enabled
        assert found[robot].kind == "servicePrincipal"
        assert (await page_by_page(read)).accounts == found

    async def test_the_shortest_of_several_ways(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada = await tenant.user("ada")
        shared = await tenant.group("Shared", ada)
        long = await tenant.group("Long", await tenant.group("Longer", shared))
        short = await tenant.group("Short", shared)
        top = await tenant.group("Top", long, short)
        found = await whole(partial(reader.member_pages, group(top)))
        assert [ids(origin) for origin in found.accounts[ada].origins] == [(short, shared)]

    async def test_many_over_several_pages(self, tenant: Tenant, reader: GraphAccounts) -> None:
        everybody = [tenant.running.server.tenant.users.id_of(number) for number in range(2500)]
        inner = await tenant.group("Inner", *everybody[1000:])
        top = await tenant.group("Top", *everybody[:1200], inner)
        read = partial(reader.member_pages, group(top))
        found = await whole(read)
        assert found.accounts.keys() == set(everybody)
        assert found.pages == found.requests == len(await tenant.requests("/members")) == 4
        assert len(found.accounts[everybody[1100]].origins) == 2
        assert (await page_by_page(read)).accounts == found.accounts

    async def test_throttling_is_a_reason_to_wait_as_long_as_graph_says(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        some = await tenant.group("Some")
        await tenant.control("faults", call=MEMBERS, fault="F13", retry_after=300)
        with pytest.raises(TryLater) as refused:
            await whole(partial(reader.member_pages, group(some)))
        assert refused.value.code == "THROTTLED"
        assert refused.value.after == timedelta(seconds=300)

    async def test_a_refused_group_is_for_people(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        some, other = await tenant.group("Some"), await tenant.group("Other")
        await tenant.control("faults", call=MEMBERS, object=some, fault={"status": 403})
        with pytest.raises(NeedsHuman) as refused:
            await whole(partial(reader.member_pages, group(some)))
        assert refused.value.code == "AUTOMATION_PRIVILEGE"
        assert (await whole(partial(reader.member_pages, group(other)))).accounts == {}

    async def test_a_refused_group_within_it_is_told_and_the_rest_goes_on(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada, bo = await tenant.user("ada"), await tenant.user("bo")
        hidden, other = await tenant.group("Hidden", ada), await tenant.group("Other", bo)
        top = await tenant.group("Top", hidden, other)
        await tenant.control("faults", call=MEMBERS, object=hidden, fault={"status": 403})
        found = await whole(partial(reader.member_pages, group(top)))
        assert found.accounts.keys() == {bo}
        assert [one.id for one in found.unread] == [hidden]
        assert found.unread[0].reason.startswith("AUTOMATION_PRIVILEGE: ")

    async def test_a_group_that_is_gone_is_not_an_empty_one(self, reader: GraphAccounts) -> None:
        gone = group("b6c2d1a0-0000-4000-8000-0123456789ab")
        with pytest.raises(NeedsHuman) as refused:
            await whole(partial(reader.member_pages, gone))
        assert refused.value.code == "SOURCE_GONE"

    async def test_a_list_that_vanishes_on_the_way_is_not_a_short_one(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        users = tenant.running.server.tenant.users
        top = await tenant.group("Top", *(users.id_of(number) for number in range(1200)))
        await tenant.control("faults", call=MEMBERS, fault="F1", pattern="ok,404")
        with pytest.raises(TryLater):
            await whole(partial(reader.member_pages, group(top)))

    async def test_a_link_to_another_host_is_not_followed(self, tenant: Tenant) -> None:
        base = tenant.running.graph.replace("127.0.0.1", "localhost")  # its links say 127.0.0.1
        users = tenant.running.server.tenant.users
        top = await tenant.group("Top", *(users.id_of(number) for number in range(1200)))
        async with opened(tenant, base) as client:
            with pytest.raises(NeedsHuman) as refused:
                await whole(partial(GraphAccounts(client).member_pages, group(top)))
        assert refused.value.code == "FOREIGN_LINK"

    async def test_a_place_that_nobody_can_read_starts_anew(self, reader: GraphAccounts) -> None:
        with pytest.raises(NeedsHuman) as refused:
            await whole(partial(reader.member_pages, group("some")), "{}}")
        assert refused.value.code == "PAGE_TOKEN_EXPIRED"

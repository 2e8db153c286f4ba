"""`ports.AccountReader` against the Graph emulator, through the real SDK."""

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from azure.identity.aio import ClientSecretCredential

from emulators.graph.server import Running, serving
from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_client import Graph
from shared.errors import NeedsHuman, TryLater
from shared.model.accounts import Account, Origin
from shared.planning.accounts import merged
from shared.settings import Settings

MEMBERS = "GET /groups/{id}/transitiveMembers/microsoft.graph.user"
ELIGIBLE = "GET /roleManagement/directory/roleEligibilityScheduleInstances"
USERS = 4000
DEPARTMENTS = 4  # of 7 that the seeded users are spread over have a group


class Tenant:
    """The emulator and its control interface."""

    def __init__(self, running: Running, admin: httpx.AsyncClient) -> None:
        self.running = running
        self._admin = admin

    async def control(self, name: str, **body: Any) -> dict[str, Any]:
        answer = await self._admin.post(f"{self.running.admin}/{name}", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def group(self, name: str, *members: str) -> str:
        made = await self.control(
            "tenant", groups=[{"displayName": name, "members": list(members)}]
        )
        return str(made["groups"][0])

    async def user(self, name: str, **more: Any) -> str:
        values = {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}
        return str((await self.control("tenant", users=[values | more]))["users"][0])

    async def requests(self, part: str) -> list[dict[str, Any]]:
        answer = await self._admin.get(f"{self.running.admin}/traffic")
        return [
            row
            for row in map(msgspec.json.decode, answer.content.splitlines())
            if part in row["url"]
        ]


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    async with serving(tls=tmp_path, users=USERS) as running:
        monkeypatch.setenv("SSL_CERT_FILE", running.ca_file)
        trust = ssl.create_default_context(cafile=running.ca_file)
        async with httpx.AsyncClient(verify=trust) as admin:
            yield Tenant(running, admin)


@pytest.fixture
async def graph(tenant: Tenant) -> AsyncIterator[Graph]:
    async with opened(tenant, tenant.running.graph) as made:
        yield made


class opened:  # noqa: N801 - reads as the function it stands for
    """Graph's client, signed in as the automation, and closed again."""

    def __init__(self, tenant: Tenant, base: str) -> None:
        running = tenant.running
        self._credential = ClientSecretCredential(
            running.tenant_id,
            running.automation.client_id,
            running.automation.client_secret,
            authority=running.authority,
            disable_instance_discovery=True,
            connection_verify=running.ca_file,
        )
        settings = Settings(
            tenant_id=running.tenant_id,
            authority=running.authority,
            graph=base,
            vault_url="https://127.0.0.1",
        )
        self._graph = Graph(settings, self._credential)

    async def __aenter__(self) -> Graph:
        return self._graph

    async def __aexit__(self, *_: object) -> None:
        await self._graph.close()
        await self._credential.close()


@pytest.fixture
def reader(graph: Graph) -> GraphAccounts:
    return GraphAccounts(graph)


async def gathered(pages: AsyncIterator[list[Account]]) -> dict[str, Account]:
    """Accounts by id, merged as the step merges them."""
    found: dict[str, Account] = {}
    async for page in pages:
        for account in page:
            found[account.id] = merged(found.get(account.id), account)
    return found


def group(id_: str, name: str = "Some group") -> Origin:
    return Origin(kind="group", id=id_, name=name)


async def role(reader: GraphAccounts, name: str) -> Origin:
    ((found,),) = (await reader.resolve_roles([name])).values()
    return found


class TestGroups:
    async def test_by_name_by_id_and_with_quotes(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        irish, plain = await tenant.group("O'Brien's 100% \"A&B\" + C"), await tenant.group("Plain")
        names = ["O'Brien's 100% \"A&B\" + C", plain, "plain", "Nowhere"]
        found = await reader.resolve_groups(names)
        assert found == {
            names[0]: [group(irish, names[0])],
            plain: [group(plain, "Plain")],
            "plain": [group(plain, "Plain")],
            "Nowhere": [],
        }

    async def test_an_ambiguous_name_has_several(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        twins = {await tenant.group("Twin") for _ in range(3)}
        found = await reader.resolve_groups(["Twin"])
        assert {origin.id for origin in found["Twin"]} == twins

    async def test_an_id_that_is_no_group(self, tenant: Tenant, reader: GraphAccounts) -> None:
        name = "b6c2d1a0-0000-4000-8000-0123456789ab"
        assert await reader.resolve_groups([name]) == {name: []}
        odd = await tenant.group(name)
        assert await reader.resolve_groups([name]) == {name: [group(odd, name)]}

    async def test_all_of_them_over_several_pages(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        before = len(await reader.all_groups())
        await tenant.control("tenant", groups=[{"displayName": f"G{n}"} for n in range(2100)])
        ids = [origin.id for origin in await reader.all_groups()]
        assert len(ids) == len(set(ids)) == before + 2100


class TestMembers:
    async def test_of_nested_groups_each_once_with_flags(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ada = await tenant.user("ada", mail="ada@contoso.com")
        gus = await tenant.user("Gus#EXT#", userType="Guest")
        dee = await tenant.user("dee", accountEnabled=False)
        bottom = await tenant.group("Bottom", ada, gus)
        middle = await tenant.group("Middle", bottom, dee)
        top = await tenant.group("Top", middle, ada, "Onboarding Automation")
        await tenant.control("tenant", memberships=[{"group": bottom, "member": top}])  # a cycle

        pages = [page async for page in reader.members(group(top, "Top"))]

        assert sorted(account.id for page in pages for account in page) == sorted([ada, gus, dee])
        found = {account.id: account for page in pages for account in page}
        assert found[ada] == Account(
            id=ada,
            user_principal_name="ada@contoso.onmicrosoft.com",
            display_name="ada",
            enabled=True,
            guest=False,
            mail="ada@contoso.com",
            origins=(group(top, "Top"),),
        )
        assert found[gus].guest
        assert found[gus].user_principal_name == "Gus#EXT#@contoso.onmicrosoft.com"
        assert not found[dee].enabled

    async def test_over_several_pages_with_the_header_on_each(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ((all_departments,),) = (await reader.resolve_groups(["All Departments"])).values()
        ids = [a.id async for page in reader.members(all_departments) for a in page]
        assert len(ids) == len(set(ids))
        assert set(ids) == seeded(tenant)
        asked = await tenant.requests("transitiveMembers")
        assert len(asked) == 3
        for row in asked:
            headers = {name.lower(): value for name, value in row["request_headers"].items()}
            assert headers["consistencylevel"] == "eventual"

    async def test_an_expired_page_token_starts_the_list_anew(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ((all_departments,),) = (await reader.resolve_groups(["All Departments"])).values()
        await tenant.control("faults", call=MEMBERS, fault=EXPIRED, pattern="ok,ok,400")
        assert (await gathered(reader.members(all_departments))).keys() == seeded(tenant)
        assert len(await tenant.requests("transitiveMembers")) == 6

    async def test_one_that_always_expires_is_not_asked_for_ever(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ((all_departments,),) = (await reader.resolve_groups(["All Departments"])).values()
        await tenant.control("faults", call=MEMBERS, fault=EXPIRED, pattern="ok,400", repeat=True)
        with pytest.raises(TryLater) as refused:
            await gathered(reader.members(all_departments))
        assert refused.value.code == "PAGE_TOKEN_EXPIRED"

    async def test_throttling_is_a_reason_to_wait_as_long_as_graph_says(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        some = await tenant.group("Some")
        await tenant.control("faults", call=MEMBERS, fault="F13", retry_after=300)
        with pytest.raises(TryLater) as refused:
            await gathered(reader.members(group(some)))
        assert refused.value.code == "THROTTLED"
        assert refused.value.after == timedelta(seconds=300)

    async def test_a_refused_group_is_for_people(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        some, other = await tenant.group("Some"), await tenant.group("Other")
        await tenant.control("faults", call=MEMBERS, object=some, fault={"status": 403})
        with pytest.raises(NeedsHuman) as refused:
            await gathered(reader.members(group(some)))
        assert refused.value.code == "AUTOMATION_PRIVILEGE"
        assert await gathered(reader.members(group(other))) == {}

    async def test_a_group_that_is_gone_is_not_an_empty_one(self, reader: GraphAccounts) -> None:
        with pytest.raises(NeedsHuman) as refused:
            await gathered(reader.members(group("b6c2d1a0-0000-4000-8000-0123456789ab")))
        assert refused.value.code == "SOURCE_GONE"

    async def test_a_list_that_vanishes_on_the_way_is_not_a_short_one(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        ((all_departments,),) = (await reader.resolve_groups(["All Departments"])).values()
        await tenant.control("faults", call=MEMBERS, fault="F1", pattern="ok,404")
        with pytest.raises(TryLater):
            await gathered(reader.members(all_departments))

    async def test_a_link_to_another_host_is_not_followed(self, tenant: Tenant) -> None:
        base = tenant.running.graph.replace("127.0.0.1", "localhost")  # its links say 127.0.0.1
        async with opened(tenant, base) as client:
            reader = GraphAccounts(client)
            ((all_departments,),) = (await reader.resolve_groups(["All Departments"])).values()
            with pytest.raises(NeedsHuman) as refused:
                await gathered(reader.members(all_departments))
        assert refused.value.code == "FOREIGN_LINK"


EXPIRED = {
    "status": 400,
    "code": "Directory_ExpiredPageToken",
    "message": "The specified page token value has expired and can no longer be included in "
    "your request.",
}


def seeded(tenant: Tenant) -> set[str]:
    """Ids of the users that the emulator's department groups are made of."""
    people = tenant.running.server.tenant.users
    return {people.id_of(number) for number in range(USERS) if number % 7 < DEPARTMENTS}


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
            eligibilities=[{"role": name, "principal": principal} for principal in (chen, waiting)],
        )

        found = await gathered(reader.holders(await role(reader, name)))

        ways = {
            id_: {(o.eligible, *(step.name for step in o.chain)) for o in row.origins}
            for id_, row in found.items()
        }
        assert ways[ada] >= {(False,), (False, "Outer")}
        assert {way[0] for way in ways[ada]} == {False, True}
        assert ways[bo] == {(False, "Outer")}
        assert ways[eve] == {(False,)}
        assert {way[0] for id_ in (chen, dana) for way in ways[id_]} == {True}
        assert {id_ for id_, row in found.items() if row.eligible} == {chen, dana}
        assert found[eve].guest
        assert not found[eve].enabled
        assert {origin.kind for row in found.values() for origin in row.origins} == {"role"}

    async def test_many_holders_over_several_pages(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        people = tenant.running.server.tenant.users
        ids = {people.id_of(number) for number in range(230)}
        rows = [{"role": "Billing Administrator", "principal": id_} for id_ in ids]
        await tenant.control("tenant", roles=rows)
        found = await gathered(reader.holders(await role(reader, "Billing Administrator")))
        assert found.keys() == ids

    async def test_without_a_licence_nobody_is_eligible(
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
        assert (await gathered(reader.holders(await role(reader, name)))).keys() == {ada}
        assert name in {origin.name for origin in await reader.all_roles()}

    async def test_a_refused_eligibility_is_not_an_empty_one(
        self, tenant: Tenant, reader: GraphAccounts
    ) -> None:
        await tenant.control("faults", call=ELIGIBLE, fault={"status": 403})
        with pytest.raises(NeedsHuman) as refused:
            await gathered(reader.holders(await role(reader, "Billing Administrator")))
        assert refused.value.code == "AUTOMATION_PRIVILEGE"

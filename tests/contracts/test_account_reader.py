"""`ports.AccountReader` against the Graph emulator, through the real SDK."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from azure.identity.aio import ClientSecretCredential
from msgspec.structs import replace

from emulators.graph.server import Running, serving
from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_client import Graph
from shared.errors import NeedsHuman, TryLater
from shared.model.accounts import Account, Origin, Through
from shared.settings import Settings
from tests.contracts.reading import page_by_page, whole

MEMBERS = "GET /groups/{id}/members"
ELIGIBLE = "GET /roleManagement/directory/roleEligibilityScheduleInstances"
USERS = 4000


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


def ids(origin: Origin) -> tuple[str, ...]:
    """The groups on the way."""
    return tuple(step.id for step in origin.chain)


def through(id_: str, name: str = "Middle") -> Through:
    return Through(id=id_, name=name)


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

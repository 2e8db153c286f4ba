"""Groups as `ports.AccountReader` finds them, through the real SDK."""

from shared.adapters.graph_accounts import GraphAccounts
from tests.contracts.account_reader.tenant import Tenant, group


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

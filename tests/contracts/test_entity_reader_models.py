"""No SDK model of what is read is ever made: each would run over two thousand import statements."""

from typing import Any

import pytest

from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_entities import GraphEntities
from shared.adapters.graph_query import query
from shared.model.accounts import Origin
from shared.model.entities import KINDS, SOURCES, Reading
from tests.contracts.reading import whole
from tests.contracts.stage import Stage


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were asked for their fields, as each is when it is decoded."""
    from msgraph.generated.models.entity import Entity

    asked: list[str] = []
    plain = Entity.get_field_deserializers

    def counted(self: Any) -> Any:
        asked.append(type(self).__name__)
        return plain(self)

    monkeypatch.setattr(Entity, "get_field_deserializers", counted)
    return asked


@pytest.mark.requirement("D-34")
async def test_none_in_a_whole_run_of_any_mode(stage: Stage, made: list[str]) -> None:
    entities, accounts = GraphEntities(stage.graph), GraphAccounts(stage.graph)
    for kind in (*KINDS, *SOURCES):
        links = ("members",) if kind in ("group", "directoryRole") else ()
        wanted = Reading(kind=kind, navigation=links, tracked=kind in KINDS)
        found = await whole(lambda link, wanted=wanted: entities.pages(wanted, link))
        if found.cookie:
            await whole(lambda link, wanted=wanted: entities.pages(wanted, link), found.cookie)
    group: Origin = (await accounts.all_groups())[0]
    await whole(lambda link: accounts.member_pages(group, link))
    for role in await accounts.all_roles():
        for eligible in (False, True):
            await whole(
                lambda link, role=role, eligible=eligible: accounts.holder_pages(
                    role, link, eligible=eligible
                )
            )
    await accounts.unit_names()
    assert made == []


async def test_the_count_counts(stage: Stage, made: list[str]) -> None:
    users = stage.graph.client.users
    await users.get(query(users, top=5))
    assert made.count("User") == 5

"""The roles of all accounts, as facts, through `ports.EntityReader` and the real SDK."""

import pytest

from shared.adapters.graph_entities import GraphEntities
from shared.errors import NeedsHuman
from shared.model.accounts import Account
from shared.model.entities import ELIGIBLE_ROLES, HELD_ROLES, Reading
from shared.planning.accounts import is_vouched
from tests.contracts.reading import Read, page_by_page, whole
from tests.contracts.stage import Stage
from tests.contracts.test_entity_reader_sources import groups, people

ROLES = ("Billing Administrator", "License Administrator")
ELIGIBLE = "GET /roleManagement/directory/roleEligibilityScheduleInstances"


def reading(stage: Stage, kind: str) -> Read:
    reader = GraphEntities(stage.graph)
    return lambda link: reader.pages(Reading(kind=kind), link)


def told(row: Account) -> set[tuple[str, str, str, str]]:
    return {
        (o.name, o.scope_name, " > ".join(step.name for step in o.chain), str(o.until or "")[:10])
        for o in row.origins
    }


@pytest.mark.requirement("D-23", "D-24", "X-15")
async def test_every_role_directly_through_groups_and_in_units(stage: Stage) -> None:
    ada, bo, chen = await people(stage, "ada", "bo", "chen")
    (inner,) = await groups(stage, 1, bo, name="Inner")
    (outer,) = await groups(stage, 1, inner, ada, name="Outer")
    made = await stage.control("tenant", administrative_units=[{"displayName": "North"}])
    north = f"/administrativeUnits/{made['administrative_units'][0]}"
    await stage.control(
        "tenant",
        roles=[
            {"role": ROLES[0], "principal": ada},
            {"role": ROLES[0], "principal": ada, "scope": north},
            {"role": ROLES[0], "principal": outer},
            {"role": ROLES[1], "principal": outer},
        ],
        eligibilities=[
            {"role": ROLES[1], "principal": chen, "endDateTime": "2027-03-01T00:00:00Z"},
            {"role": ROLES[0], "principal": inner},
        ],
    )

    held = (await whole(reading(stage, HELD_ROLES))).accounts
    may = (await whole(reading(stage, ELIGIBLE_ROLES))).accounts

    assert told(held[ada]) == {
        (ROLES[0], "", "", ""),
        (ROLES[0], "North", "", ""),
        (ROLES[0], "", "Outer 0", ""),
        (ROLES[1], "", "Outer 0", ""),
    }
    assert told(held[bo]) == {(name, "", "Outer 0 > Inner 0", "") for name in ROLES}
    assert chen not in held
    assert told(may[chen]) == {(ROLES[1], "", "", "2027-03-01")}
    assert told(may[bo]) == {(ROLES[0], "", "Inner 0", "")}
    assert all(o.eligible for row in may.values() for o in row.origins)
    assert not any(o.eligible for row in held.values() for o in row.origins)
    assert not any(is_vouched(row) for row in (*held.values(), *may.values()))
    users = await stage.traffic("GET", "/users/")
    assert users == []  # no account costs a request of its own


@pytest.mark.parametrize("kind", [HELD_ROLES, ELIGIBLE_ROLES])
async def test_it_goes_on_anywhere_after_each_page(stage: Stage, kind: str) -> None:
    ids = await people(stage, *(f"p{n}" for n in range(4)))
    made = [(await groups(stage, 1, *ids[: n + 1], name=f"G{n}"))[0] for n in range(4)]
    rows = [{"role": role, "principal": id_} for role in ROLES for id_ in (*made, ids[3])]
    await stage.control("tenant", roles=rows, eligibilities=rows)
    once = await whole(reading(stage, kind))
    pieces = await page_by_page(reading(stage, kind))
    assert pieces.accounts == once.accounts
    assert pieces.pages > 1
    assert {len(once.accounts[id_].origins) for id_ in ids[:1]} == {8}


async def test_what_is_refused_is_not_empty(stage: Stage) -> None:
    await stage.control("faults", call=ELIGIBLE, fault={"status": 403})
    with pytest.raises(NeedsHuman) as refused:
        await whole(reading(stage, ELIGIBLE_ROLES))
    assert refused.value.code == "AUTOMATION_PRIVILEGE"

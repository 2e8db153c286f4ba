"""Who holds or may activate directory roles, and who has registered for MFA: whole lists.

Source: Graph v1.0 "List unifiedRoleAssignments", "List roleEligibilityScheduleInstances", "List
unifiedRoleDefinitions", "List userRegistrationDetails"; none of them has a delta query.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from shared.adapters.graph_account_rows import HoldingRow, RoleRow
from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import LARGEST_PAGE, Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import Row
from shared.model.entities import Entity, Findings
from shared.model.entities import Page as FoundPage
from shared.planning.accounts import fact

DEFINITION = "roleDefinition"


class RegistrationRow(Row, frozen=True, gc=False):
    id: str
    is_mfa_registered: bool | None = None


held = msgspec.json.Decoder(Page[HoldingRow])
_roles = msgspec.json.Decoder(Page[RoleRow])
_registered = msgspec.json.Decoder(Page[RegistrationRow])


async def holdings(reader: Reader, link: str, *, eligible: bool) -> AsyncIterator[FoundPage]:
    """Assignments, with the roles themselves on the first page; or eligibilities."""
    directory = reader.sender.graph.client.role_management.directory
    kind = "eligible" if eligible else "assigned"
    builder = (
        directory.role_eligibility_schedule_instances if eligible else directory.role_assignments
    )
    doing = "reading who may activate roles" if eligible else "reading who holds roles"
    roles = () if eligible or link else await _definitions(reader)
    async for page in reader.pages(_listing(builder, held, doing, expand=["principal"]), link):
        yield FoundPage(
            findings=Findings(rows=roles, links=tuple(row.link(kind) for row in page.value)),
            next_link=page.next_link or "",
            **reader.sender.tally.taken(),
        )
        roles = ()


async def registrations(reader: Reader, link: str) -> AsyncIterator[FoundPage]:
    """The report of all users; its requests have a quota of their own, five in ten seconds."""
    methods = reader.sender.graph.client.reports.authentication_methods
    listing: Listing[Any] = Listing(
        lambda size: methods.user_registration_details.to_get_request_information(
            query(methods.user_registration_details, top=size or None)
        ),
        _registered,
        "reading who registered MFA",
        source="registrations",
        largest=LARGEST_PAGE,
    )
    async for page in reader.pages(listing, link):
        yield FoundPage(
            findings=Findings(
                rows=tuple(
                    fact(row.id, mfa="yes" if row.is_mfa_registered else "no")
                    for row in page.value
                    if row.is_mfa_registered is not None
                )
            ),
            next_link=page.next_link or "",
            **reader.sender.tally.taken(),
        )


async def _definitions(reader: Reader) -> tuple[Entity, ...]:
    """There are a hundred and some more; those that a tenant made itself are among them."""
    builder = reader.sender.graph.client.role_management.directory.role_definitions
    listing = _listing(
        builder, _roles, "listing the roles", select=["id", "displayName", "templateId"]
    )
    rows = [row async for page in reader.pages(listing) for row in page.value]
    return tuple(
        Entity(kind=DEFINITION, id=row.id, display_name=row.display_name or "") for row in rows
    )


def _listing(builder: Any, decoder: Any, doing: str, **options: Any) -> Listing[Any]:
    return Listing(
        lambda _: builder.to_get_request_information(query(builder, **options)),
        decoder,
        doing,
        source="",
        largest=0,  # neither list has $top
    )

"""Who has registered for MFA: a report, read whole, as it has no delta query.

Source: Graph v1.0 "List userRegistrationDetails".
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import LARGEST_PAGE, Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import Row
from shared.model.entities import Findings
from shared.model.entities import Page as FoundPage
from shared.planning.accounts import fact


class RegistrationRow(Row, frozen=True, gc=False):
    id: str
    is_mfa_registered: bool | None = None


_registered = msgspec.json.Decoder(Page[RegistrationRow])


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

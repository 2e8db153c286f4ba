"""Federated identity credentials in the directory.

Source: Graph v1.0 "federatedIdentityCredential resource type" and its methods.
"""

from typing import TYPE_CHECKING

from shared.adapters.graph_client import Graph
from shared.adapters.graph_rows import FederatedRow, IdRow
from shared.model.credential import FederatedTrust

if TYPE_CHECKING:
    from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential

THERE = ("with the same name already exists",)


class GraphFederation:
    """Implements ``ports.Federation``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def trusted(self, object_id: str) -> list[FederatedTrust]:
        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.federated_identity_credentials.to_get_request_information()
        rows = await self._graph.everything(
            info, FederatedRow, doing=f"reading the federated credentials of {object_id}"
        )
        return [row.value() for row in rows]

    async def add(self, object_id: str, wanted: FederatedTrust) -> None:
        builder = self._graph.client.applications.by_application_id(object_id)
        body = _body(wanted)
        body.name = wanted.name
        info = builder.federated_identity_credentials.to_post_request_information(body)
        await self._graph.post(
            info, IdRow, doing=f"adding a federated credential to {object_id}", already=THERE
        )

    async def correct(self, object_id: str, trust_id: str, wanted: FederatedTrust) -> None:
        builder = self._graph.client.applications.by_application_id(object_id)
        one = builder.federated_identity_credentials.by_federated_identity_credential_id(trust_id)
        await self._graph.write(
            one.to_patch_request_information(_body(wanted)),
            doing=f"correcting the federated credential {wanted.name} of {object_id}",
        )

    async def remove(self, object_id: str, trust_id: str) -> None:
        builder = self._graph.client.applications.by_application_id(object_id)
        one = builder.federated_identity_credentials.by_federated_identity_credential_id(trust_id)
        await self._graph.write(
            one.to_delete_request_information(),
            doing=f"removing the federated credential {trust_id} of {object_id}",
            already=("HTTP 404",),
        )


def _body(wanted: FederatedTrust) -> "FederatedIdentityCredential":
    """Everything but the name, which a change may not carry."""
    from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential

    return FederatedIdentityCredential(
        issuer=wanted.issuer,
        subject=wanted.subject,
        audiences=list(wanted.audiences),
        description=wanted.description,
    )

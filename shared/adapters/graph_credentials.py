"""What applications in the directory hold to sign in with: client secrets and certificates.

Source: Graph v1.0 "application: addPassword", "application: removePassword"; certificates have
a module of their own.
"""

from datetime import datetime
from uuid import UUID

from shared.adapters.graph_certificates import UNCLEAR, GraphCertificates
from shared.adapters.graph_client import Graph
from shared.adapters.graph_errors import LIFETIME_POLICY, TOO_MANY_SECRETS, TYPE_POLICY
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import CredentialsRow, PasswordRow, PolicyRow
from shared.adapters.settled import SPACING, settled
from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.credential import HeldSecret, NewSecret, SecretRules
from shared.model.duration import parse_duration
from shared.model.shape import Shape
from shared.ports import Clock

GONE = ("No password credential found",)

REFUSALS = {
    LIFETIME_POLICY: (
        "SECRET_LIFETIME_OVER_POLICY",
        "Ask for a shorter secret_lifetime, or have the tenant's app management policy changed.",
    ),
    TYPE_POLICY: (
        "SECRET_TYPE_BLOCKED",
        (
            "Client secrets are blocked in this tenant: have an exemption written for this "
            "application, or use a profile that signs in with a certificate or a federated "
            "credential."
        ),
    ),
    TOO_MANY_SECRETS: (
        "TOO_MANY_SECRETS",
        "Remove secrets that nobody uses from the application, then send the request again.",
    ),
}

CERTIFICATES_BLOCKED = (
    "Certificates of this kind are blocked in this tenant: have an exemption written for this "
    "application, or use a profile that signs in with a federated credential."
)


class GraphCredentials:
    """Implements ``ports.Credentials``."""

    def __init__(self, graph: Graph, clock: Clock, pace: float) -> None:
        self._graph = graph
        self._certificates = GraphCertificates(graph, clock, pace)
        self._spacing = SPACING * pace

    async def held(self, object_id: str) -> list[HeldSecret] | None:
        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.to_get_request_information(
            query(builder, select=["id", "passwordCredentials", "keyCredentials"])
        )
        row = await self._graph.get(
            info, CredentialsRow, doing=f"reading the secrets of {object_id}"
        )
        return None if row is None else row.value()

    async def add(
        self,
        object_id: str,
        name: str,
        ends: datetime,
        *,
        shape: Shape = Shape.CLIENT_SECRET,
        subject: str = "",
    ) -> NewSecret:
        try:
            if not shape.certificate:
                return await self._add_secret(object_id, name, ends)
            return await self._certificates.add(object_id, name, ends, shape=shape, subject=subject)
        except StepError as error:
            raise _specific(error, shape) from error

    async def _add_secret(self, object_id: str, name: str, ends: datetime) -> NewSecret:
        from msgraph.generated.applications.item.add_password.add_password_post_request_body import (  # noqa: E501 - the SDK's own name
            AddPasswordPostRequestBody,
        )
        from msgraph.generated.models.password_credential import PasswordCredential

        body = AddPasswordPostRequestBody(
            password_credential=PasswordCredential(display_name=name, end_date_time=ends)
        )
        builder = self._graph.client.applications.by_application_id(object_id).add_password
        info = builder.to_post_request_information(body)
        made = await self._graph.post(info, PasswordRow, doing=f"adding a secret to {object_id}")
        if made is None or not made.secret_text:
            raise TryLater("ANSWER_LOST", f"Graph answered without a secret for {object_id}")
        return NewSecret(
            key_id=made.key_id,
            ends=made.end_date_time,
            hint=made.hint or "",
            value=made.secret_text,
        )

    async def remove(self, object_id: str, key_id: str) -> None:
        if not await self._certificates.remove(object_id, key_id):
            await self._remove_secret(object_id, key_id)

    async def _remove_secret(self, object_id: str, key_id: str) -> None:
        from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (  # noqa: E501 - the SDK's own name
            RemovePasswordPostRequestBody,
        )

        builder = self._graph.client.applications.by_application_id(object_id).remove_password
        body = RemovePasswordPostRequestBody(key_id=UUID(key_id))
        await self._graph.write(
            builder.to_post_request_information(body),
            doing=f"removing secret {key_id} from {object_id}",
            already=GONE,
        )

    async def gone(self, object_id: str, key_id: str) -> bool:
        async def absent() -> bool | None:
            held = await self.held(object_id)
            listed = held is None or any(secret.key_id == key_id for secret in held)
            return None if listed else True

        return await settled(absent, spacing=self._spacing) is not None

    async def longest_lifetime(self, shape: Shape = Shape.CLIENT_SECRET) -> float | None:
        return (await self.rules(shape)).longest

    async def rules(self, shape: Shape = Shape.CLIENT_SECRET) -> SecretRules:
        builder = self._graph.client.policies.default_app_management_policy
        row = await self._graph.get(
            builder.to_get_request_information(),
            PolicyRow,
            doing="reading the tenant's app management policy",
        )
        if row is None or not row.is_enabled or row.application_restrictions is None:
            return SecretRules()
        of = row.application_restrictions
        limit = "asymmetricKeyLifetime" if shape.certificate else "passwordLifetime"
        in_force = [
            restriction
            for restriction in (
                of.key_credentials if shape.certificate else of.password_credentials
            )
            if restriction.state != "disabled"
        ]
        lifetimes = [
            days(restriction.max_lifetime)
            for restriction in in_force
            if restriction.restriction_type == limit and restriction.max_lifetime
        ]
        return SecretRules(
            allowed=all(r.restriction_type != "passwordAddition" for r in in_force),
            longest=min(lifetimes, default=None),
        )


def _specific(error: StepError, shape: Shape) -> StepError:
    """Policy refusals in plain words; an unclear outcome of addPassword as ANSWER_LOST."""
    for mark, (code, remedy) in REFUSALS.items():
        if mark in error.message:
            if mark == TYPE_POLICY and shape.certificate:
                return NeedsHuman(code, error.message, CERTIFICATES_BLOCKED)
            return NeedsHuman(code, error.message, remedy)
    if isinstance(error, TryLater) and error.code in UNCLEAR and not shape.certificate:
        return TryLater("ANSWER_LOST", error.message, after=error.after)
    return error


def days(duration: str) -> float:
    """Days of a policy's maximum lifetime, hours not dropped."""
    try:
        return parse_duration(duration).total_seconds() / 86400
    except ValueError as error:
        raise NeedsHuman(
            "POLICY_UNREADABLE",
            f"The tenant's app management policy has a lifetime of {duration!r}.",
            "Set secret_lifetime to a value that this policy allows.",
        ) from error

"""The tenant's audit log.

Source: Graph v1.0 "List directoryAudits", "directoryAudit resource type".

`targetResources` can be filtered by id, `activityDateTime` by ge; both in one filter.
"""

from datetime import UTC, datetime

from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import Row
from shared.model.finding import AuditEntry

NEWEST = 100
"""Entries read about one object: one page, as the list comes newest first."""


class UserRow(Row, frozen=True):
    id: str | None = None
    user_principal_name: str | None = None
    display_name: str | None = None


class AppRow(Row, frozen=True):
    display_name: str | None = None
    service_principal_id: str | None = None


class InitiatorRow(Row, frozen=True):
    user: UserRow | None = None
    app: AppRow | None = None


class PropertyRow(Row, frozen=True):
    display_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class TargetRow(Row, frozen=True):
    id: str | None = None
    display_name: str | None = None
    modified_properties: list[PropertyRow] | None = None


class AuditRow(Row, frozen=True):
    activity_display_name: str
    activity_date_time: datetime
    initiated_by: InitiatorRow | None = None
    target_resources: list[TargetRow] | None = None

    def value(self) -> AuditEntry:
        name, id_ = _initiator(self.initiated_by)
        return AuditEntry(
            activity=self.activity_display_name,
            at=self.activity_date_time,
            name=name,
            id=id_,
            about=_about(self.target_resources or []),
        )


class GraphAuditLog:
    """Implements ``ports.AuditLog``."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def entries(self, target: str, since: datetime) -> list[AuditEntry]:
        builder = self._graph.client.audit_logs.directory_audits
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = f"activityDateTime ge {start} and targetResources/any(t:t/id eq '{target}')"
        info = builder.to_get_request_information(query(builder, filter=wanted, top=NEWEST))
        doing = f"reading who changed {target}"
        page = await self._graph.get(info, Page[AuditRow], doing=doing)
        return [row.value() for row in page.value] if page else []


def _initiator(row: InitiatorRow | None) -> tuple[str, str]:
    if row is not None and row.user is not None and row.user.id:
        user = row.user
        return user.user_principal_name or user.display_name or row.user.id, row.user.id
    if row is not None and row.app is not None:
        id_ = row.app.service_principal_id or ""
        return row.app.display_name or id_, id_
    return "", ""


def _about(rows: list[TargetRow]) -> str:
    """Ids, names and values, a line each, in lower case."""
    words: list[str] = []
    for row in rows:
        words += [row.id or "", row.display_name or ""]
        for changed in row.modified_properties or []:
            words.append(changed.display_name or "")
            words += [changed.old_value or "", changed.new_value or ""]
    return "\n".join(words).lower()

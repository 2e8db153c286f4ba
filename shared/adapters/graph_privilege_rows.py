"""The parts of Graph's role assignments and units that say what somebody holds."""

from shared.adapters.graph_rows import NamedRow, Row
from shared.model.privilege import CUSTOM, RESTRICTED, ROLE, Held

UNIT = "/administrativeUnits/"


class DefinitionRow(NamedRow, frozen=True):
    is_built_in: bool | None = None


class AssignmentRow(Row, frozen=True):
    """A role assignment, or an eligibility for one."""

    principal_id: str
    role_definition_id: str
    directory_scope_id: str | None = None


class UnitRow(NamedRow, frozen=True):
    is_member_management_restricted: bool | None = None


def held_by(
    row: AssignmentRow, names: dict[str, DefinitionRow], restricted: frozenset[str], via: str
) -> Held:
    """A custom role, and one of which no definition could be read, count as any other role."""
    definition = names.get(row.role_definition_id)
    name = (definition and definition.display_name) or row.role_definition_id
    unit = (row.directory_scope_id or "").rpartition(UNIT)[2]
    if unit in restricted:
        return Held(kind=RESTRICTED, name=name, via=via)
    built_in = definition is not None and definition.is_built_in is not False
    return Held(kind=ROLE if built_in else CUSTOM, name=name, via=via)

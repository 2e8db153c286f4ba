"""What is searched for, and what becomes of it."""

from datetime import timedelta
from typing import Literal

import msgspec

from shared.model.profile.strict import Strict


class Schedule(Strict, frozen=True):
    """Whether it repeats, in which units a person may say so, and how often by default."""

    recurrence: bool = False
    units: tuple[Literal["minutes", "hours", "days", "weeks"], ...] = ()
    start_on_save: bool = False
    default: timedelta | None = None


class Skip(Strict, frozen=True):
    """What is done with accounts of which a fact holds."""

    fact: Literal["mfa_registered"]
    policy: Literal["skip", "warn", "ignore"]
    reason: str


class Delta(Strict, frozen=True):
    """How changes are handed on: one cookie for each kind of entity."""

    cookie_per_entity: bool = False
    commands: tuple[Literal["insert", "update", "delete"], ...] = ()
    force_full: bool = False


Mode = Literal["groups", "roles", "users", "all"]
Entity = Literal["user", "group", "directoryRole", "servicePrincipal"]


class DiscoveryPolicy(Strict, frozen=True):
    """Search modes, kinds of entities and links between them, schedule, and use of the rows."""

    modes: tuple[Mode, ...]
    when: tuple[str, ...] = ()  # features with which it scans
    entities: tuple[Entity, ...] = ("user", "group")
    navigation: tuple[Literal["members", "owners"], ...] = ("members",)
    attributes: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    skip: tuple[Skip, ...] = ()
    delta: Delta | None = None
    schedule: Schedule = Schedule()
    result_state: Literal["review", "import", "export"] = "review"


class ImportPolicy(Strict, frozen=True):
    """How found accounts become users of the product.

    `columns` is the product's own CSV: the title of a column and the field of a row.
    """

    default_role: str = ""
    roles: tuple[str, ...] = ()
    require_at_least_one: str = ""
    keep_group_structure: bool = False
    summary: tuple[Literal["imported", "failed", "skipped"], ...] = (
        "imported",
        "failed",
        "skipped",
    )
    on_import: dict[str, Literal["optional", "required"]] = msgspec.field(default_factory=dict)
    columns: dict[str, str] = msgspec.field(default_factory=dict)


class Drift(Strict, frozen=True):
    """`repair` puts back what is missing; nothing is ever removed by a timer."""

    policy: Literal["report", "repair"] = "report"

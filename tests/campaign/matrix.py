"""The crash points of the notes, one by one: what is left after each, as docs/lifecycle.md has it.

``python -m tests.campaign.matrix`` writes the table; a test fails when it is stale.
"""

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from shared.planning.credentials import PREFIX, operation_of
from tests.campaign.chaos import Aim
from tests.campaign.simulation import simulated
from tests.campaign.world import Options, World

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
BEGIN, END = "<!-- crash points: `make generate` -->", "<!-- end of crash points -->"

DAY = 86400.0
BEFORE, AFTER, LOST, DOWN, FROZEN = "before", "after", "lost", "down", "frozen"


@dataclass(frozen=True)
class Row:
    """A crash point: when the process dies, and what else happens in that simulation."""

    id: str
    between: str
    aims: tuple[Aim, ...]
    profile: str = "password-manager-pro"
    variant: str = "as built in"
    acts: tuple[tuple[float, str], ...] = ()  # day and name of an act beside the onboarding


def dies(step: str, call: str, when: str, *, nth: int = 1, day: float = 0.0) -> tuple[Aim, ...]:
    return (Aim(step, call, when, nth=nth, since=day * DAY),)


ROTATION = 10.0
"""Day after which the rotation, asked for on this day, is the only one that can be meant."""

ASKED = ((ROTATION, "rotation"),)


def rotating(
    id_: str,
    between: str,
    call: str,
    when: str,
    *,
    nth: int = 1,
    step: str = "credentials",
    profile: str = Row.profile,
) -> Row:
    """A row about that rotation."""
    aims = dies(step, call, when, nth=nth, day=ROTATION)
    return Row(id_, between, aims, profile=profile, acts=ASKED)


ROWS = (
    Row(
        "C1", "request accepted / registration begins", dies("registration", "ledger.turn", BEFORE)
    ),
    Row(
        "C2",
        "application made / its ids recorded",
        dies("registration", "applications.ensure", AFTER),
    ),
    Row(
        "C3", "application made / owners read", dies("registration", "applications.owners", BEFORE)
    ),
    Row(
        "C4",
        "service principal made / its id recorded",
        dies("registration", "applications.ensure_principal", AFTER),
    ),
    Row(
        "C5",
        "in the middle of the application permissions",
        dies("consent", "consents.grant", AFTER, nth=2),
        profile="authentik-entra",
    ),
    Row(
        "C6",
        "delegated permissions granted / read back",
        dies("consent", "consents.grant_scopes", AFTER),
    ),
    Row(
        "C7",
        "directory role assigned / read back",
        dies("roles", "roles.assign", AFTER),
        profile="devolutions-server",
    ),
    rotating("C8", "intent recorded / addPassword", "credentials.add", BEFORE),
    rotating("C9", "addPassword sent / its answer arrives", "credentials.add", LOST),
    rotating("C10", "addPassword answered / value staged", "vault.put", BEFORE),
    Row(
        "C11",
        "staging fails / taking back fails too, and the process dies",
        (
            Aim("credentials", "vault.put", DOWN, since=ROTATION * DAY),
            Aim("credentials", "credentials.remove", BEFORE, since=ROTATION * DAY),
        ),
        acts=ASKED,
    ),
    rotating("C12", "value staged / noted", "vault.put", AFTER),
    rotating("C13", "value staged / verified", "tokens.obtain", BEFORE, nth=3),
    rotating("C14", "verified / published", "vault.put", BEFORE, nth=2),
    rotating("C15", "published / due times noted", "vault.put", AFTER, nth=2),
    rotating(
        "C16",
        "some of several vault names written",
        "vault.keep",
        AFTER,
        profile="netwrix-identity-manager",
    ),
    Row(
        "C17",
        "the retirement's due time is lost",
        (),
        acts=(*ASKED, (ROTATION + 1, "retirement_forgotten"), (ROTATION + 20, "rotation")),
    ),
    rotating(
        "C18", "old secret removed / recorded", "credentials.remove", AFTER, step="retirement"
    ),
    rotating("C19", "published / staging copy disabled", "vault.disable", BEFORE),
    Row(
        "C20",
        "in the middle of a sweep of what failed attempts left",
        (
            *dies("credentials", "vault.put", BEFORE, day=ROTATION),
            *dies("credentials", "credentials.remove", AFTER, day=ROTATION),
        ),
        acts=ASKED,
    ),
    rotating(
        "C21",
        "two runners at once: the process stands still, its locks are lost",
        "credentials.add",
        FROZEN,
    ),
    Row(
        "C22",
        "emergency: published / old secret removed",
        dies("retirement", "credentials.remove", BEFORE, day=ROTATION),
        acts=((ROTATION, "plain_emergency"),),
    ),
    Row(
        "C23",
        "in the middle of a repair of permissions",
        dies("verification", "consents.grant", AFTER, day=ROTATION),
        variant="missing grants put back",
        profile="authentik-entra",
        acts=((ROTATION, "grant_removed"), (ROTATION + 0.1, "grant_removed")),
    ),
)


@dataclass(frozen=True)
class Result:
    """The counts of the notes, at the end, and how soon the operation was through."""

    usable: bool
    unknown: int  # secrets of ours that are neither served, staged nor about to be retired
    without: int  # secrets that the ledger announces as published and the directory has not
    applications: int
    breaches: tuple[str, ...]
    struck: bool
    deaths: int

    @property
    def good(self) -> bool:
        counts = (self.unknown, self.without, self.applications)
        return self.usable and counts == (0, 0, 1) and not self.breaches and self.struck


def result_of(row: Row) -> Result:
    """Run the row's simulation, without any other fault."""
    options = Options(
        calm=True, aims=row.aims, profile=row.profile, variant=row.variant, planned=row.acts
    )
    world, outcome = simulated(1, options)
    return _counted(row, world, outcome.breaches)


def _counted(row: Row, world: World, breaches: Collection[str]) -> Result:
    (name,) = world.names
    known, served = world.connection(name), world.served(name)
    assert known is not None
    held = {s.id for a in world.applications().values() for s in a.secrets}
    ours = [s for s in world.applications()[name].secrets if s.name.startswith(PREFIX)]
    announced = {operation_of(s.name) for s in ours}
    credential = known.credential
    missing = credential is None or credential.key_id not in held
    return Result(
        usable=served is not None and world.watch.works(name, served),
        unknown=len(list(world.watch.orphans(name, known))),
        without=int(missing) + len([a for a in announced if world.operation(name, a) is None]),
        applications=len(world.applications()),
        breaches=tuple(breaches),
        struck=len(world.chaos.hit) == len(row.aims),
        deaths=world.fleet.deaths,
    )


def table() -> str:
    """The rows as a page of documentation has them."""
    lines = [
        BEGIN,
        "",
        (
            "| | the process dies between | usable secret published | secrets nobody knows "
            "| rows without a secret | applications |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        found = result_of(row)
        if not found.good:
            raise AssertionError(f"{row.id} ({row.between}): {found}")
        lines.append(
            f"| {row.id} | {row.between} | yes | {found.unknown} | {found.without} "
            f"| {found.applications} |"
        )
    return "\n".join([*lines, "", END])


def page() -> str:
    """The page with a fresh table in it."""
    text = PAGE.read_text("utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{PAGE.name} has no place for the crash points")
    return pattern.sub(lambda _: table(), text)


def main() -> int:
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

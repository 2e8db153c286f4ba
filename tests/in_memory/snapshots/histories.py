"""Random histories of discovery runs, told to several stores at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Summary, Through
from shared.model.entities import Entity, Findings, Link, Unread
from shared.model.scan import Progress, Removals, SourceProgress
from shared.planning.accounts import fact

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
CONNECTION = "pam"
TENANT = Origin(kind="tenant", id="users", name="All users")
STAFF = Origin(kind="group", id="a", name="Staff")

SOURCES = ("user?jobTitle", "group?members", "membership?", "registration?", "group/a", "role/r")
PEOPLE = [f"u-{number:02d}" for number in range(30)]
GROUPS = [f"g-{number}" for number in range(6)]


@dataclass
class Run:
    """What one run stages, source by source and page by page, and how it ends."""

    summary: Summary
    progress: Progress
    pages: list[tuple[str, Findings | None]]  # None: the source is started again
    removals: Removals


@dataclass
class History:
    """Makes runs; the same seed makes the same ones."""

    seed: int
    runs: int = 0
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - repeatable

    def next(self) -> Run:
        self.runs += 1
        begun = START + timedelta(hours=self.runs)
        operation = f"o{self.runs}"
        wanted = [key for key in SOURCES if self.chance.random() < 0.8] or ["user?jobTitle"]
        sources = tuple(self._source(key) for key in wanted)
        pages: list[tuple[str, Findings | None]] = []
        for source in sources:
            for _ in range(self.chance.randint(0, 4)):
                pages.append((source.key, self._page(source)))
                if self.chance.random() < 0.1:
                    pages.append((source.key, None))
        self.chance.shuffle(pages)
        return Run(
            summary=Summary(
                operation=operation,
                connection=CONNECTION,
                state="succeeded",
                mode="all",
                started=begun,
                finished=begun + timedelta(minutes=5),
            ),
            progress=Progress(
                operation=operation, connection=CONNECTION, started=begun, sources=sources
            ),
            pages=pages,
            removals="hold" if self.chance.random() < 0.3 else "apply",
        )

    def _source(self, key: str) -> SourceProgress:
        kind = key.partition("?")[0]
        return SourceProgress(
            key=key,
            kind="entity",
            id=kind,
            name=kind,
            state="failed" if self.chance.random() < 0.15 else "complete",
            full=key not in SOURCES[:2] or self.chance.random() < 0.4,
            cookie=f"{key}@{self.runs}",
        )

    def _page(self, source: SourceProgress) -> Findings:
        match source.voucher:
            case "user":
                people = self._some(PEOPLE)
                gone = () if source.full else tuple(self._some(PEOPLE, 2))
                rows = tuple(self._person(id_, TENANT) for id_ in people if id_ not in gone)
                return Findings(rows=rows, gone=gone, for_good=gone[:1])
            case "group":
                groups = self._some(GROUPS)
                gone = () if source.full else tuple(self._some(GROUPS, 1))
                return Findings(
                    rows=tuple(self._group(id_) for id_ in groups if id_ not in gone),
                    gone=gone,
                    links=self._links("group"),
                    unlinked=() if source.full else self._links("group", 2),
                )
            case "membership":
                unread = tuple(Unread(id=id_, reason="X: y") for id_ in self._some(GROUPS, 1))
                return Findings(links=self._links("group", 9), unread=unread)
            case "registration":
                people = self._some(PEOPLE, 12)
                return Findings(rows=tuple(fact(id_, mfa="yes") for id_ in people))
            case voucher:
                kind, _, id_ = voucher.partition("/")
                way = Origin(kind=kind, id=id_, name=f"Name {self.chance.randint(1, 2)}")
                chain = (Through(id="g-1", name="G"),) if self.chance.random() < 0.5 else ()
                people = self._some(PEOPLE)
                return Findings(
                    rows=tuple(self._person(p, replace(way, chain=chain)) for p in people)
                )

    def _some(self, ids: Sequence[str], most: int = 8) -> list[str]:
        return self.chance.sample(ids, self.chance.randint(0, min(most, len(ids))))

    def _person(self, id_: str, origin: Origin) -> Account:
        return Account(
            id=id_,
            user_principal_name=f"{id_}@contoso.com",
            display_name=f"Zoë {id_}",
            enabled=self.chance.random() < 0.7,
            guest=self.chance.random() < 0.2,
            mail="",
            origins=(origin,),
            attributes={"jobTitle": self.chance.choice(["Pilot", "Cook"])},
        )

    def _group(self, id_: str) -> Entity:
        return Entity(kind="group", id=id_, display_name=f"G {self.chance.randint(1, 2)}")

    def _links(self, of: str, most: int = 5) -> tuple[Link, ...]:
        return tuple(
            Link(kind=kind, of=of, source=source, target=self.chance.choice([*PEOPLE, *GROUPS]))
            for source in self._some(GROUPS, most)
            for kind in self._some(["members", "owners"], 2)
        )

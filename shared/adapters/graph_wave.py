"""What some requests for members said: members, groups to go on with, groups that failed alone."""

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import msgspec

from shared.adapters.graph_batch import Part
from shared.adapters.graph_client import Page
from shared.adapters.graph_paging import decoded
from shared.adapters.graph_rows import Row
from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.entities import Findings, Link, Unread

ROUNDS = 3  # times that a group which is refused alone is come back to
MODEL = "#microsoft.graph."
MEMBERS = "members"


class MemberRow(Row, frozen=True, gc=False):
    id: str
    type: str = msgspec.field(default="", name="@odata.type")


members = msgspec.json.Decoder(Page[MemberRow])


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the reading is; everything that is needed to go on with it elsewhere."""

    next: str | None = ""  # the page of groups to read next; None: that was the last one
    todo: tuple[str, ...] = ()  # groups listed and not begun
    open: tuple[tuple[str, str], ...] = ()  # groups begun, each with the link to go on from
    later: tuple[str, ...] = ()  # groups that were refused, for the end
    round: int = 0

    @property
    def asked(self) -> bool:
        """Whether all have been asked for, but those that were refused."""
        return self.next is None and not (self.todo or self.open)

    @property
    def over(self) -> bool:
        return self.asked and not self.later


@dataclass
class Wave:
    """The answers to requests that came at about the same time."""

    doing: str
    links: list[Link] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)
    later: dict[str, str] = field(default_factory=dict)  # why
    unread: list[Unread] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    denied: int = 0
    wait: float = 0.0

    def join(self, other: "Wave") -> None:
        """Take over what another one has."""
        self.links += other.links
        self.open += other.open
        self.later |= other.later
        self.unread += other.unread
        self.vanished += other.vanished
        self.wait = max(self.wait, other.wait)

    def take_part(self, part: Part) -> None:
        """The answer to one part of a batch; its id is the group's."""
        why = part.why(self.doing)
        if part.gone:
            self.vanished.append(part.id)
        elif part.throttled:
            self.put_off(part.id, f"THROTTLED: {why}", part.wait(30.0))
        elif part.passing:
            self.put_off(part.id, f"GRAPH_UNAVAILABLE: {why}", 30.0)
        elif part.status == HTTPStatus.OK:
            self.take_page(part.id, decoded(members, bytes(part.body), self.doing))
        else:
            self.denied += part.status == HTTPStatus.FORBIDDEN
            self.unread.append(Unread(id=part.id, reason=f"GRAPH_REFUSED: {why}"))

    def take_page(self, id_: str, page: Page[MemberRow]) -> None:
        self.links += [
            Link(
                kind=MEMBERS,
                of="group",
                source=id_,
                target=row.id,
                target_kind=row.type.removeprefix(MODEL),
            )
            for row in page.value
        ]
        if page.next_link:
            self.open.append((id_, page.next_link))

    def take_problem(self, id_: str, problem: StepError) -> None:
        """Of a list that was begun; a link that is no longer good begins it anew."""
        why = f"{problem.code}: {problem.message}"
        if isinstance(problem, TryLater):
            self.put_off(id_, why, problem.after.total_seconds())
        elif problem.code == "PAGE_TOKEN_EXPIRED":
            self.put_off(id_, why, 0.0)
        else:
            self.unread.append(Unread(id=id_, reason=why))

    def put_off(self, id_: str, why: str, wait: float) -> None:
        self.later[id_] = why
        self.wait = max(self.wait, wait)

    def come_back(self, cursor: Cursor) -> tuple[Cursor, StepError | None]:
        """When all else is read: once more to those that were refused, then no more.

        What is known of them stays, and they are told as unread: a short list is never passed
        off as a whole one.
        """
        if cursor.round < ROUNDS:
            again = Cursor(next=None, todo=cursor.later, round=cursor.round + 1)
            if not self.wait:
                return again, None
            return again, TryLater(
                "THROTTLED",
                f"{self.doing}: {len(cursor.later)} are refused, such as "
                f"{next(iter(self.later.values()), cursor.later[0])}",
                after=timedelta(seconds=self.wait),
                limit=timedelta(hours=1),
            )
        for id_ in cursor.later:
            reason = self.later.get(id_) or "THROTTLED: it was refused each time"
            self.unread.append(Unread(id=id_, reason=reason))
        return Cursor(next=None), None

    def findings(self) -> Findings:
        return Findings(
            links=tuple(self.links),
            unread=tuple(self.unread),
            vanished=tuple(self.vanished),
        )


def parsed(link: str) -> Cursor:
    """Raises `NeedsHuman` with code PAGE_TOKEN_EXPIRED for one that an older version wrote."""
    try:
        return msgspec.json.decode(link, type=Cursor) if link else Cursor()
    except msgspec.DecodeError as error:
        raise NeedsHuman(
            "PAGE_TOKEN_EXPIRED",
            f"The place where the reading stopped cannot be read: {error}",
            "Nothing: the source is read again.",
        ) from error

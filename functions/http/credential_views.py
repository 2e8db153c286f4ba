"""What the API shows of secrets: dates, ages and ids, never values."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.model.connection import Connection, Operation, Stray, Takeover, Value
from shared.planning.expiry import Level, notice_of, warning_of
from shared.planning.lifetime import State, state
from shared.planning.overlap import overlap_of, present, word_of
from shared.planning.rungs import Rung
from shared.planning.stages import Stage, reminders, stage_of
from shared.profile import catalogue


class AcknowledgementView(Value, frozen=True, omit_defaults=False):
    """Who said that the product uses the published secret, and when."""

    by: str
    at: datetime
    note: str


class CredentialView(Value, frozen=True, omit_defaults=False):
    """The published secret, and how far its rotation is behind."""

    state: State
    warning: Level | None  # it ends soon, and nothing has replaced it
    key_id: str
    hint: str
    published: datetime
    due: datetime  # when rotation starts
    expires: datetime
    vault_name: str
    vault_version: str
    operation: str  # that made it
    previous_key_id: str
    previous_expires: datetime | None
    overlap_until: datetime | None
    acknowledged: AcknowledgementView | None


class StrayView(Value, frozen=True, omit_defaults=False):
    """A secret on the application that Keyturn did not make, and never removes."""

    key_id: str
    name: str
    hint: str
    starts: datetime
    expires: datetime
    expired: bool
    age_days: int
    seen: datetime  # when it was first noticed
    came_with: bool  # it was there before the first secret of Keyturn's


class Reminder(Value, frozen=True, omit_defaults=False):
    """A reminder that was sent, after so many per cent of the overlap."""

    percent: int
    at: datetime


OVERLAP_NAMES = {"begins": "from", "ends": "until"}


class OverlapView(Value, frozen=True, omit_defaults=False, rename=OVERLAP_NAMES):
    """The time in which the secret before the published one works beside it."""

    begins: datetime
    ends: datetime
    used: float  # share of it that is over, from 0 to 1
    acknowledged: AcknowledgementView | None
    reminders: tuple[Reminder, ...]


class CredentialStatus(Value, frozen=True, omit_defaults=False):
    """The published secret, the rotation that makes or made it, and what else is there."""

    name: str
    profile: str
    kind: str  # of credential, by the profile
    stage: Stage
    operation: str  # the rotation, or onboarding, that `stage` and `rungs` are about
    running: bool
    state: State | None  # of the published secret: None while there is none
    warning: Level | None
    due: datetime | None
    expires: datetime | None
    credential: CredentialView | None
    overlap: OverlapView | None
    rungs: tuple[Rung, ...]
    strays: tuple[StrayView, ...]


def warned(connection: Connection, now: datetime) -> Level | None:
    profile = catalogue().get(connection.spec.profile)
    return warning_of(connection, now, notice_of(profile, connection.spec))


def shown(connection: Connection, now: datetime) -> CredentialView | None:
    credential = present(connection)
    if credential is None:
        return None
    return CredentialView(
        state=state(credential, now),
        warning=warned(connection, now),
        key_id=credential.key_id,
        hint=credential.hint,
        published=credential.published,
        due=credential.due,
        expires=credential.expires,
        vault_name=credential.vault_name,
        vault_version=credential.vault_version,
        operation=credential.operation,
        previous_key_id=credential.previous_key_id,
        previous_expires=credential.previous_expires,
        overlap_until=credential.overlap_until,
        acknowledged=_said(word_of(connection)),
    )


def status(
    connection: Connection,
    operation: Operation | None,
    timeline: tuple[Rung, ...],
    history: Iterable[Mapping[str, Any]],
    now: datetime,
) -> CredentialStatus:
    """*timeline* is that of *operation*, the newest that makes or made a secret."""
    spec, profile = connection.spec, catalogue().get(connection.spec.profile)
    credential = shown(connection, now)
    return CredentialStatus(
        name=spec.name,
        profile=spec.profile,
        kind=profile.credential.kind if profile else "",
        stage=stage_of(connection, operation, timeline, now),
        operation=operation.id if operation else "",
        running=operation is not None and operation.state == "running",
        state=credential.state if credential else None,
        warning=credential.warning if credential else None,
        due=credential.due if credential else None,
        expires=credential.expires if credential else None,
        credential=credential,
        overlap=_overlap(connection, history, now),
        rungs=timeline,
        strays=tuple(listed(stray, now) for stray in connection.strays),
    )


def _overlap(
    connection: Connection, history: Iterable[Mapping[str, Any]], now: datetime
) -> OverlapView | None:
    overlap, credential = overlap_of(connection), connection.credential
    if overlap is None or credential is None:
        return None
    sent = reminders(history, credential.vault_version)
    return OverlapView(
        begins=overlap.begins,
        ends=overlap.ends,
        used=round(overlap.used(now), 4),
        acknowledged=_said(overlap.word),
        reminders=tuple(Reminder(percent=percent, at=at) for percent, at in sent),
    )


def _said(word: Takeover | None) -> AcknowledgementView | None:
    return AcknowledgementView(by=word.by, at=word.at, note=word.note) if word else None


def listed(stray: Stray, now: datetime) -> StrayView:
    return StrayView(
        key_id=stray.key_id,
        name=stray.name,
        hint=stray.hint,
        starts=stray.starts,
        expires=stray.ends,
        expired=stray.ends <= now,
        age_days=(now - stray.starts).days,
        seen=stray.seen,
        came_with=stray.came_with,
    )

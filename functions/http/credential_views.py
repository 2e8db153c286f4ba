"""What the API shows of secrets: dates, ages and ids, never values."""

from datetime import datetime

from shared.model.connection import Credential, Stray, Value
from shared.planning.lifetime import State, state


class CredentialView(Value, frozen=True, omit_defaults=False):
    """The published secret, and how far its rotation is behind."""

    state: State
    key_id: str
    hint: str
    published: datetime
    due: datetime  # when rotation starts
    expires: datetime
    vault_name: str
    vault_version: str
    previous_key_id: str
    overlap_until: datetime | None


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


def shown(credential: Credential | None, now: datetime) -> CredentialView | None:
    if credential is None:
        return None
    return CredentialView(
        state=state(credential, now),
        key_id=credential.key_id,
        hint=credential.hint,
        published=credential.published,
        due=credential.due,
        expires=credential.expires,
        vault_name=credential.vault_name,
        vault_version=credential.vault_version,
        previous_key_id=credential.previous_key_id,
        overlap_until=credential.overlap_until,
    )


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

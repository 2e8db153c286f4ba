"""How long credentials live, and how that fits renewal and overlap."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from shared.model.duration import parse_duration
from shared.model.profile import CredentialPolicy, Profile, references
from shared.profile.lint.finding import Finding, error, warning

CUSTOMARY = timedelta(days=730)
"""The longest that the portal offers; policies of tenants seldom allow more."""

DAY = timedelta(days=1)
"""That App Service and others keep a reference to the vault before they read it again. Only an
acknowledgement may end an overlap sooner."""

NEVER = timedelta(0)

LEVELS = 3
"""Of warnings before the end."""

TOKEN = timedelta(hours=1)
"""How long access tokens live, at the least."""


def check_lifetimes(profile: Profile) -> Iterator[Finding]:
    policy = profile.credential
    yield from _prestage(policy)
    if policy.kind == "federated":
        for key in ("issuer", "subject", "name"):
            if not getattr(policy, key):
                message = f"a federated credential has an {key}"
                yield error("INPUT_INVALID", f"credential.{key}", message)
        return
    lifetimes = _lifetimes(profile)
    if lifetimes is None:
        message = f"{policy.lifetime} is neither a duration such as P180D nor one duration input"
        yield error("DURATION_INVALID", "credential.lifetime", message)
        return
    usual, longest = lifetimes
    if longest is not None and longest > CUSTOMARY:
        message = f"{longest.days} days are more than most tenants allow"
        yield warning("SECRET_LIFETIME_OVER_POLICY", "credential.lifetime", message, "P730D")
    for key in ("renew_before", "overlap"):
        value: timedelta = getattr(policy, key)
        if usual is not None and value >= usual:
            message = f"{value.days} days leave nothing of a lifetime of {usual.days} days"
            yield error("DURATION_INVALID", f"credential.{key}", message)
    if policy.overlap < DAY:
        message = "consumers may keep what they read from the vault for a day"
        yield error("DURATION_INVALID", "credential.overlap", message, "P1D, or longer")
    yield from _warnings(policy.warn_before)
    broker = profile.token_broker
    if broker and broker.refresh_before >= TOKEN:
        message = "access tokens live about an hour: they would be due as soon as they are made"
        yield error("DURATION_INVALID", "token_broker.refresh_before", message)


def _warnings(before: tuple[timedelta, ...]) -> Iterator[Finding]:
    falling = all(first > second for first, second in pairwise((*before, NEVER)))
    if len(before) != LEVELS or not falling:
        message = f"{LEVELS} durations, each shorter than the one before"
        yield error("DURATION_INVALID", "credential.warn_before", message, "[P30D, P14D, P3D]")


def _prestage(policy: CredentialPolicy) -> Iterator[Finding]:
    """Who makes no secrets here can stage none."""
    if policy.prestage and not policy.kept:
        message = f"a {policy.kind} credential has no secret that could be staged"
        yield error("INPUT_INVALID", "credential.prestage", message)
    if policy.prestage and policy.external_when is not None:
        message = "who rotates a secret elsewhere needs no next one here"
        yield error("INPUT_INVALID", "credential.prestage", message)


def _lifetimes(profile: Profile) -> tuple[timedelta | None, timedelta | None] | None:
    """The usual lifetime and the longest, as far as they are bounded; None for no duration."""
    template = profile.credential.lifetime
    used = references(template)
    try:
        if not used:
            fixed = parse_duration(template)
            return fixed, fixed
        declared = profile.inputs.get(used[0].removeprefix("inputs."))
        if declared is None or declared.type != "duration" or template != f"${{{used[0]}}}":
            return None
        longest = parse_duration(str(declared.max)) if declared.max is not None else None
        usual = parse_duration(declared.default) if declared.default is not None else longest
    except ValueError:
        return None
    return usual, longest

"""Who made the change that a finding is about, by the tenant's audit log.

Source: Entra audit activity reference, "Core directory"; entries of grants name the permission's
id and value, entries of applications what was set.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from shared.model.finding import Actor, AuditEntry, Finding, What
from shared.planning import application as parts
from shared.planning.findings import Plan

_GRANTED = {
    What.APPLICATION: ("add app role assignment to service principal",),
    What.DELEGATED: ("add delegated permission grant", "consent to application"),
    What.USER_CONSENT: ("add delegated permission grant", "consent to application"),
    What.ROLE: ("add member to role",),
    What.OWNER: ("add owner to",),
}
_TAKEN = {
    What.APPLICATION: ("remove app role assignment from service principal",),
    What.DELEGATED: ("remove delegated permission grant", "update delegated permission grant"),
    What.ROLE: ("remove member from role",),
    What.OWNER: ("remove owner from",),
}
_EITHER = {
    What.CONFIGURED: ("update application",),
    What.REGISTRATION: ("update application",),
    What.PRINCIPAL: ("disable account", "update service principal"),
    What.SECRET: ("update application", "add service principal credentials"),
}
"""Beginnings of the activities that bring a thing about, in lower case."""

_PROPERTIES = {
    parts.AUDIENCE: "availabletoothertenants",
    parts.PUBLIC_CLIENT: "publicclient",
}
"""What the log calls the parts of a registration whose values it does not tell."""


def targets(finding: Finding, *, application: str, principal: str) -> str:
    """Object id of what the log's entry about this finding has as a target."""
    if finding.item.what == What.OWNER:
        return finding.item.id
    of_application = (What.CONFIGURED, What.REGISTRATION, What.SECRET)
    return application if finding.item.what in of_application else principal


def by_whom(finding: Finding, entries: Iterable[AuditEntry]) -> Actor | None:
    """The latest entry that is about the finding's very thing; None rather than a guess."""
    fitting = [entry for entry in entries if _fits(finding, entry)]
    if not fitting:
        return None
    last = max(fitting, key=lambda entry: entry.at)
    return Actor(name=last.name, id=last.id, activity=last.activity, at=last.at)


def attributed(plan: Plan, actors: Mapping[str, Actor]) -> Plan:
    """The plan with who did what was found anew."""

    def named(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(
            replace(f, actor=actors[f.fingerprint]) if f.fingerprint in actors else f
            for f in findings
        )

    return replace(plan, opened=named(plan.opened), to_tell=named(plan.to_tell))


def _fits(finding: Finding, entry: AuditEntry) -> bool:
    what, activity = finding.item.what, entry.activity.lower()
    changes = _TAKEN if finding.verdict == "missing" else _GRANTED
    if what == What.REGISTRATION and finding.item.id == "application":
        return activity.startswith("delete application")
    if not activity.startswith(_EITHER.get(what) or changes.get(what, ())):
        return False
    return any(_mentions(entry.about, needle.lower()) for needle in _needles(finding))


def _mentions(about: str, needle: str) -> bool:
    """Whether it is named as a whole: Mail.Send is not Mail.Send.Shared."""
    whole = rf"(?<![\w.]){re.escape(needle)}(?![\w./-])"
    return bool(needle) and re.search(whole, about) is not None


def _needles(finding: Finding) -> tuple[str, ...]:
    item = finding.item
    match item.what:
        case What.PRINCIPAL:
            return ("accountenabled",)
        case What.REGISTRATION:
            return (_PROPERTIES.get(item.id, item.scope),)
        case What.DELEGATED | What.USER_CONSENT:
            return (_plain(finding),)  # the log names scopes
        case _:
            return (item.id,)


def _plain(finding: Finding) -> str:
    return finding.name.partition(" (")[0]

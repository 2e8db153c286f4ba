"""What a look shows to differ, one thing each: the evidence as findings."""

from collections.abc import Iterator

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.connection import Stray
from shared.model.directory import Application, Kind, PermissionKey
from shared.model.finding import Item, Observed, Risk, What
from shared.model.finding import Verdict as Found
from shared.model.profile import RETIRED
from shared.planning import application as parts
from shared.planning import drift, strays
from shared.planning.consent import BY_HAND, Judged, Verdict, key_text
from shared.planning.ownership import OF_PRINCIPAL, owner_item
from shared.planning.risk import Tier, role_tier, tier
from shared.planning.verification import Evidence, role_item

DECIDE = (
    "An approver accepts it or has it removed: POST /api/connections/{name}/findings/"
    '{fingerprint}/decision with {"decision": "accept" or "remove", "reason": "…"}.'
)
ACCEPT = (
    " Or an approver accepts it: POST /api/connections/{name}/findings/{fingerprint}/decision "
    'with {"decision": "accept", "reason": "…"}.'
)
FOREIGN = (
    "Whoever consented takes it back, or an administrator removes it under Permissions of the "
    "enterprise application; Keyturn never does." + ACCEPT
)

_VERDICTS: dict[Verdict, Found] = {
    Verdict.MISSING: "missing",
    Verdict.EXTRA: "extra",
    Verdict.FOREIGN: "foreign",
    Verdict.RETIRED: "foreign",
}
_TIERS: tuple[Tier, ...] = ("direct", "indirect", "normal")


def observe(evidence: Evidence) -> tuple[Observed, ...]:
    """Everything that differs, what was accepted too; what is too young to judge is left out.

    Of an adopted application only what it lacks: what else it has is its owners' affair.
    """
    app = evidence.application
    gone = drift.gone(app, evidence.principal, evidence.deleted)
    if gone is not None or app is None:
        return (_gone(evidence, gone),) if gone is not None else ()
    return tuple(
        one
        for one in _differences(evidence, app)
        if one.item not in evidence.young and not (evidence.adopted and one.verdict != "missing")
    )


def is_complete(evidence: Evidence) -> bool:
    """Whether the look could show everything: without the application there is nothing to see."""
    return drift.gone(evidence.application, evidence.principal, evidence.deleted) is None


def _gone(evidence: Evidence, problem: NeedsHuman) -> Observed:
    if evidence.application is None:
        item, name = Item(what=What.REGISTRATION, id="application"), "the application"
    else:
        id_ = evidence.principal.object_id if evidence.principal else ""
        item, name = Item(what=What.PRINCIPAL, id=id_), "the service principal"
    return Observed(
        item=item, verdict="missing", code=problem.code, name=name, remedy=problem.remedy
    )


def _differences(evidence: Evidence, app: Application) -> Iterator[Observed]:
    yield from _registration(evidence, app)
    yield from _configured(evidence, app)
    for judged in evidence.judged:
        if judged.verdict != Verdict.OK and judged.item is not None:
            yield _permission(evidence, judged, judged.item)
    yield from _roles(evidence)
    yield from _owners(evidence)
    came_with = [s for s in evidence.strays if not (evidence.adopted and s.came_with)]
    yield from (_secret(evidence, stray) for stray in came_with if stray.ends > evidence.now)


def _registration(evidence: Evidence, app: Application) -> Iterator[Observed]:
    """A part's value belongs to what it is: another audience is another finding."""
    wanted = evidence.wanted
    if app.audience != wanted.audience:
        yield _part(parts.AUDIENCE, app.audience, "extra")
    if app.public_client != wanted.public_client:
        flow = parts.flow_text(public=app.public_client)
        yield _part(parts.PUBLIC_CLIENT, flow, "extra" if app.public_client else "missing")
    for name, want, there in (
        (parts.WEB, wanted.web_redirects, app.web_redirects),
        (parts.NATIVE, wanted.native_redirects, app.native_redirects),
        (parts.SPA, wanted.spa_redirects, app.spa_redirects),
    ):
        yield from (_part(name, uri, "missing") for uri in want if uri not in there)
        yield from (_part(name, uri, "extra") for uri in there if uri not in want)


def _part(name: str, value: str, verdict: Found) -> Observed:
    more = ACCEPT if verdict == "extra" else ""
    return Observed(
        item=Item(what=What.REGISTRATION, id=name, scope=value),
        verdict=verdict,
        code=drift.CODES[name],
        name=f"{name}: {value}",
        remedy=drift.SEND_AGAIN + more,
    )


def _configured(evidence: Evidence, app: Application) -> Iterator[Observed]:
    wanted = evidence.wanted
    for permission in evidence.permissions:
        if permission.key not in app.configured:
            other = drift.other_kind(permission, evidence.offered, app.configured)
            code = "PERM_KIND" if other else "CONSENT_DRIFT"
            yield _asked_for(evidence, permission.key, code, "missing")
    plain = replace(wanted, accepted=frozenset())
    for key in parts.spare(plain, app):
        retired = key.resource == RETIRED
        code = "RETIRED_API" if retired else "CONSENT_DRIFT"
        yield _asked_for(evidence, key, code, "extra")


def _asked_for(evidence: Evidence, key: PermissionKey, code: str, verdict: Found) -> Observed:
    return Observed(
        item=configured_item(key),
        verdict=verdict,
        code=code,
        name=f"{drift.name_of(key, evidence.offered)}, asked for by the registration",
        remedy=drift.SEND_AGAIN if verdict == "missing" else DECIDE,
    )


def configured_item(key: PermissionKey) -> Item:
    return Item(what=What.CONFIGURED, id=key.id, api=key.resource, scope=key.kind)


def accepted_parts(accepted: frozenset[Item]) -> frozenset[tuple[str, str]]:
    """The accepted parts of a registration, as `WantedApplication` has them."""
    found = {(i.id, i.scope) for i in accepted if i.what == What.REGISTRATION}
    for item in accepted:
        if item.what == What.CONFIGURED:
            key = PermissionKey(resource=item.api, kind=Kind(item.scope), id=item.id)
            found.add((parts.CONFIGURED, key_text(key)))
    return frozenset(found)


def _permission(evidence: Evidence, judged: Judged, item: Item) -> Observed:
    verdict = _VERDICTS[judged.verdict]
    known = next((p.name for p in evidence.offered if p.key.id == item.id), judged.name)
    if verdict == "missing":
        ours = any(key_text(p.key) in evidence.given for p in evidence.permissions
                   if p.key.id == item.id and p.key.resource == item.api)  # fmt: skip
        code = "CONSENT_DRIFT" if ours else "CONSENT_MISSING"
        remedy = f"{drift.SEND_AGAIN} {BY_HAND}"
    elif judged.verdict == Verdict.RETIRED:
        code, remedy = "RETIRED_API", drift.RETIREMENT
    else:
        code, remedy = "EXTRA_PERMISSION", DECIDE if verdict == "extra" else FOREIGN
    return Observed(
        item=item,
        verdict=verdict,
        code=code,
        name=judged.name,
        remedy=remedy,
        risk=tier(known, item.api),
    )


def _roles(evidence: Evidence) -> Iterator[Observed]:
    for name in evidence.roles_missing:
        yield Observed(
            item=role_item(evidence.role_ids.get(name, name)),
            verdict="missing",
            code="ROLE_MISSING",
            name=name,
            remedy=drift.SEND_AGAIN,
            risk=role_tier(name),
        )
    for role in evidence.roles_extra:
        yield Observed(
            item=role.item,
            verdict="extra",
            code="EXTRA_PERMISSION",
            name=role.told,
            remedy=DECIDE,
            risk=role_tier(role.name),
        )


def _owners(evidence: Evidence) -> Iterator[Observed]:
    owners = evidence.owners
    if owners.own_missing:
        yield _owner(owner_item(owners.own), "AUTOMATION_NOT_OWNER", "the automation", "missing")
    for one in owners.missing:
        yield _owner(owner_item(one), "OWNER_MISSING", owners.name(one), "missing")
    for item in owners.extra:
        of = f" (of the {OF_PRINCIPAL})" if item.scope == OF_PRINCIPAL else ""
        found = _owner(item, "OWNER_EXTRA", f"owner {item.id}{of}", "extra")
        yield replace(found, risk=_reach(evidence), remedy=drift.REMOVE_OWNER + ACCEPT)


def _owner(item: Item, code: str, name: str, verdict: Found) -> Observed:
    return Observed(item=item, verdict=verdict, code=code, name=name, remedy=drift.SEND_AGAIN)


def _secret(evidence: Evidence, stray: Stray) -> Observed:
    problem = strays.trouble([stray], evidence.published, adopted=False, now=evidence.now)
    return Observed(
        item=stray_item(stray),
        verdict="foreign",
        code=problem.code if problem else "SECRET_VALUE_UNKNOWN",
        name=f"secret {strays.told(stray)}",
        remedy=strays.CHOOSE + ACCEPT,
        risk=_reach(evidence),
    )


def stray_item(stray: Stray) -> Item:
    return Item(what=What.SECRET, id=stray.key_id)


def _reach(evidence: Evidence) -> Risk:
    """How far the product's own permissions and roles lead: whoever can sign in as it has them."""
    reached = [tier(p.name, p.key.resource) for p in evidence.permissions]
    reached += [role_tier(role) for role in evidence.roles_wanted]
    return min(reached, key=_TIERS.index, default="normal")

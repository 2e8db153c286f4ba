"""A plan for people, in Markdown."""

from collections.abc import Iterable

from shared.planning.plan_parts import (
    Plan,
    PlannedCredential,
    PlannedPermission,
    PlannedRole,
    PlannedSwap,
    ScanRight,
)

BOLD = "\x02"
"""Our own emphasis: no text of a request can hold this character."""

HELD = {True: "held", False: f"{BOLD}missing{BOLD}", None: "checked before the first write"}

MARKS = {
    "direct": f"{BOLD}direct path to Global Administrator{BOLD}",
    "indirect": f"{BOLD}indirect path to Global Administrator{BOLD}",
    "normal": "normal",
}


def markdown(plan: Plan) -> str:
    """The plan as a page; text of the request is escaped, as it may hold anything."""
    where = f"{_plain(plan.tenant_name or 'unknown')} (`{plan.tenant or '?'}`)"
    rows = [f"# Plan: {_plain(plan.title)}", ""]
    rows += [f"Connection `{plan.connection}` in the tenant {where}."]
    rows += ["Nothing has been stored or begun."]
    hindrances = [f"{f.code}: {f.message}" for f in plan.findings if f.blocking]
    remarks = [f"{f.code}: {f.message}" for f in plan.findings if not f.blocking]
    if plan.facts == "partial":
        rows += ["", "The vendor's guide leaves gaps; see the profile's notes."]
    rows += _listed("In the way", hindrances)
    rows += _listed("To know first", remarks)
    rows += _listed("Left to people", plan.for_people)
    rows += _listed("Application", _application(plan))
    rows += _listed("Permissions", map(_permission, plan.permissions))
    rows += _listed("Named by the vendor, not asked for", plan.advised)
    rows += _listed("Narrower permissions that the request may take", map(_swap, plan.swaps))
    rows += _listed("Directory roles", map(_role, plan.roles))
    rows += _listed(
        "Azure roles, assigned by a person",
        [f"{role.role} at {role.scope}: {MARKS[role.risk]}" for role in plan.azure_roles],
    )
    rows += _listed(
        "Memberships and licences",
        [
            f"Azure DevOps, {member.organisation}, licence {member.licence}. {member.note}"
            for member in plan.memberships
        ],
    )
    rows += _listed("Credential", [_credential(plan.credential)])
    rows += _listed("Discovery", _discovery(plan))
    rows += _listed("Hand-over: fields of the product", plan.handover)
    rows += _listed("Preconditions", plan.preconditions)
    rows += _listed("Notes", plan.notes)
    rows += _listed("What the automation itself needs", _automation(plan))
    return "\n".join(rows) + "\n"


def _application(plan: Plan) -> list[str]:
    app = plan.application
    lines = [f"adopts the application {app.adopts}"] if app.adopts else []
    lines += [f"name: {app.display_name}", f"unique name: {app.unique_name}"]
    lines += [f"audience: {app.audience}", f"platform: {app.platform}"]
    lines += [f"redirect: {uri}" for uri in app.redirect_uris]
    return [*lines, f"public client flows: {'on' if app.public_client_flows else 'off'}"]


def _permission(item: PlannedPermission) -> str:
    more = f", instead of {item.instead_of}" if item.instead_of else ""
    held = ", waits for approval" if item.approval else ""
    return f"{item.name} ({item.api}, {item.kind}): {MARKS[item.risk]}{more}{held}"


def _swap(item: PlannedSwap) -> str:
    taken = "taken" if item.taken else "offered"
    return (
        f"{taken}: {item.use} ({MARKS[item.risk_then]}) instead of {item.instead_of} "
        f"({MARKS[item.risk]}); differs from the vendor: {item.reason}"
    )


def _role(item: PlannedRole) -> str:
    marks = [MARKS[item.risk]]
    if item.privileged:
        marks.append("privileged")
    if item.approval:
        marks.append("waits for approval")
    marks += [f"may have to become {n} ({MARKS[risk]})" for n, risk in item.may_become.items()]
    if item.proposed and item.proposed != item.name:
        marks.append(f"the accounts in scope need {item.proposed}: {'; '.join(item.because)}")
    return f"{item.name}: {', '.join(marks)}"


def _credential(item: PlannedCredential) -> str:
    kind = item.kind.replace("_", " ")
    if not item.days:
        return kind
    shorter = f" ({item.days_asked:g} asked for)" if item.days != item.days_asked else ""
    rotation = item.elsewhere or (
        f"rotated after {item.rotated_after:g} days, the old one works {item.overlap:g} days longer"
    )
    return f"{kind} for {item.days:g} days{shorter}, {rotation}"


def _discovery(plan: Plan) -> list[str]:
    found = plan.discovery
    if found is None:
        return ["none"]
    every = f"every {found.every_hours:g} hours" if found.every_hours else "on demand"
    first = f"{', '.join(found.modes)} ({', '.join(found.entities)}), {every}, then {found.then}"
    return [first, *map(_scan_right, found.permissions)]


def _scan_right(item: ScanRight) -> str:
    without = "" if item.required else "; without it that stays unknown"
    return f"{item.source} needs {item.permission} to {item.why}: {HELD[item.granted]}{without}"


def _automation(plan: Plan) -> list[str]:
    return [
        f"{need.permission} to {need.why}: {HELD[need.held]}"
        + (
            f"; {BOLD}equal to Global Administrator in effect{BOLD}"
            if need.global_administrator
            else ""
        )
        + ("" if need.required else "; optional")
        for need in plan.automation
    ]


def _listed(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"- {_plain(line)}" for line in lines]
    return ["", f"## {title}", "", *found] if found else []


def _plain(text: str) -> str:
    """Text in which nothing but our own emphasis is markup."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split()).replace(BOLD, "**")

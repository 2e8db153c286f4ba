"""The generated parts of docs/profiles.md: the keys of the format, and the built-in profiles."""

import json
from typing import Any

import msgspec

from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES, Profile
from shared.planning.risk import is_privileged, tier
from shared.profile import catalogue
from shared.profile.reference import EXTENDS, meanings

TITLES = {
    "Profile": "Top level",
    "Feature": "`features.(name)`",
    "Input": "`inputs.(name)`",
    "Registration": "`registration`",
    "ServicePrincipalOptions": "`registration.sp`",
    "PermissionSet": "`permissions[]`",
    "Swap": "`least_privilege[]`",
    "DirectoryRole": "`directory_roles[]`",
    "AzureRole": "`azure_roles[]`",
    "ExternalGrant": "`external_grants[]`",
    "CredentialPolicy": "`credential`",
    "TokenBroker": "`token_broker`",
    "Output": "`outputs[]`",
    "DiscoveryPolicy": "`discovery`",
    "Schedule": "`discovery.schedule`",
    "Skip": "`discovery.skip[]`",
    "Delta": "`discovery.delta`",
    "ImportPolicy": "`import`",
    "Precondition": "`preconditions[]`",
    "Note": "`notes[]`",
    "Drift": "`drift`",
}
"""Parts of the model in the order of the page; `Kind` is described where it is used."""

RISKS = {"direct": " (**direct**)", "indirect": " (*indirect*)", "normal": ""}


def page(text: str) -> str:
    """*text* with what stands between its markers made anew."""
    parts = {"keys": _keys(), "resources": _resources(), "products": _products()}
    for name, content in parts.items():
        head, found, rest = text.partition(f"<!-- generated: {name} -->\n")
        _, ended, tail = rest.partition("<!-- end -->")
        if not ended:
            raise ValueError(f"docs/profiles.md has no place for {name}")
        text = f"{head}{found}\n{content}\n\n{ended}{tail}"
    return text


def _keys() -> str:
    parts = msgspec.json.schema(Profile)["$defs"]
    sections = []
    for name, title in TITLES.items():
        rows = [f"### {title}", "", "| key | type | meaning | default |", "|---|---|---|---|"]
        needed = parts[name].get("required", ())
        for key, schema in parts[name]["properties"].items():
            default = "required" if key in needed else _default(schema.get("default"))
            rows.append(f"| `{key}` | {_type(schema)} | {meanings()[name][key]} | {default} |")
        if name == "Profile":
            rows.append(f"| `extends` | text | {EXTENDS} | |")
        sections.append("\n".join(rows))
    return "\n\n".join(sections)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return "`application` `delegated`" if name == "Kind" else "map"
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object":
            return "map"
        case "boolean":
            return "`true` `false`"
        case "integer":
            return "number"
        case "string":
            return "duration" if schema.get("format") == "duration" else "text"
        case _:
            return "anything"


def _default(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, dict):
        return "its defaults"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _resources() -> str:
    rows = ["| alias | application id |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{alias}` | {app_id} |" for alias, app_id in RESOURCES.items())])


def _products() -> str:
    rows = [
        "| profile | application permissions | delegated permissions | roles | secret | facts |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *(_product(profile) for profile in catalogue().values())])


def _product(profile: Profile) -> str:
    cells = [
        f"`{profile.id}`<br>{profile.title}",
        _permissions(profile, "application"),
        _permissions(profile, "delegated"),
        _roles(profile),
        profile.credential.kind.replace("_", " "),
        profile.facts,
    ]
    return f"| {' | '.join(cells)} |"


def _permissions(profile: Profile, kind: str) -> str:
    asked = [
        f"{name}{RISKS[tier(name, RESOURCES.get(entry.resource, GRAPH_APP_ID))]}"
        + _when(entry.when)
        for entry in profile.permissions
        for name in entry.names
        if entry.kind == kind and not entry.advisory
    ]
    chosen = [
        f"those of `{entry.names_from}`"
        for entry in profile.permissions
        if entry.kind == kind and entry.names_from
    ]
    return "<br>".join(dict.fromkeys((*asked, *chosen)))


def _roles(profile: Profile) -> str:
    lines = []
    for entry in profile.directory_roles:
        more = f", or {' or '.join(map(_privileged, entry.escalate_to))}" * bool(entry.escalate_to)
        lines.append(f"{_privileged(entry.role)}{more}{_when(entry.when)}")
    lines += [f"Azure: {role.role}{_when(role.when)}" for role in profile.azure_roles]
    return "<br>".join(lines)


def _privileged(role: str) -> str:
    return f"{role} (**privileged**)" if is_privileged(role) else role


def _when(when: tuple[str, ...]) -> str:
    return f" when {', '.join(when)}" if when else ""

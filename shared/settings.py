"""The environment, read once into a frozen object; the only reader of `os.environ`."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

GRAPH_HOSTS = frozenset(
    {
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    }
)
"""Microsoft Graph's hosts, one for each national cloud. Source: "National cloud deployments"."""

KNOWN_AUTHORITIES = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    }
)


SHORTEST_SLICE, LONGEST_SLICE = 5, 270
"""Seconds of a slice of a scan: a function ends after five minutes (host.json), and the page that
is being read and the checkpoint take their time, too."""


class SettingsError(Exception):
    """Names every setting that is missing or malformed, never a value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is, and how patient to be."""

    tenant_id: str
    authority: str = "https://login.microsoftonline.com"
    graph: str = "https://graph.microsoft.com/v1.0"
    devops: str = "https://dev.azure.com"
    vault_url: str
    client_id: str = ""  # of the user-assigned managed identity, when there are several
    servicebus_connection: str = ""  # either a connection string ...
    servicebus_namespace: str = ""  # ... or a namespace that is reached by identity
    storage_connection: str = ""
    table_uri: str = ""
    blob_uri: str = ""
    pace: float = 1.0  # scales every deliberate wait; 1 in production
    scan_slice: float = 240  # seconds that a scan works on in one go
    four_eyes: bool = True  # nobody approves what they asked for themselves

    @property
    def private_authority(self) -> bool:
        """Whether the authority is none of Microsoft's, so that they cannot vouch for it."""
        return (urlsplit(self.authority).hostname or "") not in KNOWN_AUTHORITIES

    @property
    def graph_host(self) -> str:
        return urlsplit(self.graph).netloc

    @property
    def graph_scope(self) -> str:
        """Scope of tokens for Graph: each national cloud has its own, a private host has none."""
        host = urlsplit(self.graph).hostname or ""
        return f"https://{host if host in GRAPH_HOSTS else 'graph.microsoft.com'}/.default"

    @property
    def devops_members(self) -> str:
        """Azure DevOps keeps its members at a host of their own."""
        if urlsplit(self.devops).hostname == "dev.azure.com":
            return "https://vsaex.dev.azure.com"
        return self.devops


def platform_auth(environment: Mapping[str, str] | None = None) -> bool:
    """Whether App Service Authentication stands before the API and says who calls.

    Raises `SettingsError` for any other word: a misspelt one must not switch it off.
    """
    env = os.environ if environment is None else environment
    given = env.get("KEYTURN_PLATFORM_AUTH", "none")
    if given not in ("none", "entra"):
        raise SettingsError("malformed setting: KEYTURN_PLATFORM_AUTH (none or entra)")
    return given == "entra"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises `SettingsError` listing everything that is wrong at once."""
    env = os.environ if environment is None else environment
    wrong = [name for name in ("KEYTURN_TENANT_ID", "KEYTURN_VAULT_URL") if not env.get(name)]
    if not (env.get("ServiceBus") or env.get("ServiceBus__fullyQualifiedNamespace")):
        wrong.append("ServiceBus or ServiceBus__fullyQualifiedNamespace")
    uris = ("KEYTURN_STORAGE__tableServiceUri", "KEYTURN_STORAGE__blobServiceUri")
    if not env.get("KEYTURN_STORAGE"):
        wrong += [f"{uri} (or KEYTURN_STORAGE)" for uri in uris if not env.get(uri)]
    pace = env.get("KEYTURN_PACE", "1")
    if not _is_pace(pace):
        wrong.append("KEYTURN_PACE (a number from 0 to 10)")
    scan_slice = env.get("KEYTURN_SCAN_SLICE", "240")
    if not scan_slice.isdecimal() or not SHORTEST_SLICE <= int(scan_slice) <= LONGEST_SLICE:
        wrong.append(f"KEYTURN_SCAN_SLICE (seconds, {SHORTEST_SLICE} to {LONGEST_SLICE})")
    if env.get("KEYTURN_FOUR_EYES", "on") not in ("on", "off"):
        wrong.append("KEYTURN_FOUR_EYES (on or off)")
    for name in ("KEYTURN_AUTHORITY", "KEYTURN_GRAPH", "KEYTURN_DEVOPS", "KEYTURN_VAULT_URL"):
        if env.get(name) and not _is_https(env[name]):
            wrong.append(f"{name} (an https URL)")
    if wrong:
        raise SettingsError("missing or malformed settings: " + ", ".join(wrong))
    return Settings(
        tenant_id=env["KEYTURN_TENANT_ID"],
        authority=env.get("KEYTURN_AUTHORITY", "https://login.microsoftonline.com").rstrip("/"),
        graph=env.get("KEYTURN_GRAPH", "https://graph.microsoft.com/v1.0").rstrip("/"),
        devops=env.get("KEYTURN_DEVOPS", "https://dev.azure.com").rstrip("/"),
        vault_url=env["KEYTURN_VAULT_URL"].rstrip("/"),
        client_id=env.get("AZURE_CLIENT_ID", ""),
        servicebus_connection=env.get("ServiceBus", ""),
        servicebus_namespace=env.get("ServiceBus__fullyQualifiedNamespace", ""),
        storage_connection=env.get("KEYTURN_STORAGE", ""),
        table_uri=env.get(uris[0], ""),
        blob_uri=env.get(uris[1], ""),
        pace=float(pace),
        scan_slice=float(scan_slice),
        four_eyes=env.get("KEYTURN_FOUR_EYES", "on") == "on",
    )


def _is_https(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False


def _is_pace(text: str) -> bool:
    try:
        return 0 <= float(text) <= 10
    except ValueError:
        return False

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

DEFAULT_AUTHORITY = "https://login.microsoftonline.com"

TOKEN_ISSUERS = ("sts.windows.net", "sts.chinacloudapi.cn")
"""Hosts that tokens of version 1 name as their issuer."""

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


WORDS = {"KEYTURN_APP": ("", "front", "worker"), "KEYTURN_FOUR_EYES": ("on", "off")}
"""Settings that are one of a few words; the first one is meant where they are not set."""

ONBOARDING_RATE, HIGHEST_RATE = 100, 100_000


class SettingsError(Exception):
    """Names every setting that is missing or malformed, never a value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is, and how patient to be."""

    app: str = ""  # front or worker; empty where one app does it all
    tenant_id: str
    authority: str = DEFAULT_AUTHORITY
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
    onboarding_rate: int = ONBOARDING_RATE  # requests to onboard of one caller in an hour

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


class Exporting(msgspec.Struct, frozen=True, kw_only=True):
    """Where telemetry is sent, if anywhere; the exporters read further variables themselves."""

    application_insights: str = ""  # connection string
    otlp: bool = False  # a collector's address is set
    sampler: bool = False  # which traces are kept is set
    app: str = "keyturn"
    instance: str = ""

    @property
    def wanted(self) -> bool:
        return bool(self.application_insights or self.otlp)


def exporting(environment: Mapping[str, str] | None = None) -> Exporting:
    """Read them; none is needed, and none can be wrong."""
    env = os.environ if environment is None else environment
    return Exporting(
        application_insights=env.get("APPLICATIONINSIGHTS_CONNECTION_STRING", ""),
        otlp=bool(env.get("OTEL_EXPORTER_OTLP_ENDPOINT")),
        sampler=bool(env.get("OTEL_TRACES_SAMPLER")),
        app=env.get("WEBSITE_SITE_NAME") or "keyturn",
        instance=env.get("WEBSITE_INSTANCE_ID") or str(os.getpid()),
    )


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What the token of a caller must have been issued by and for."""

    tenant_id: str
    client_id: str  # of the API's registration
    authority: str

    @property
    def audiences(self) -> frozenset[str]:
        return frozenset({self.client_id, f"api://{self.client_id}"})

    @property
    def issuers(self) -> frozenset[str]:
        """Of tokens of version 2, and of version 1, which each national cloud names its way."""
        return frozenset(
            {f"{self.authority}/{self.tenant_id}/v2.0"}
            | {f"https://{host}/{self.tenant_id}/" for host in TOKEN_ISSUERS}
        )


def sign_in(environment: Mapping[str, str] | None = None) -> Expected | None:
    """What App Service Authentication, which stands before the API, lets callers through with.

    None where it is said in so many words that nothing stands there (`none`: a machine of a
    developer). Raises `SettingsError` for any other word, and for what is missing: neither a
    misspelt setting nor a forgotten one may open the door.
    """
    env = os.environ if environment is None else environment
    given = env.get("KEYTURN_PLATFORM_AUTH", "entra")
    if given not in ("none", "entra"):
        raise SettingsError("malformed setting: KEYTURN_PLATFORM_AUTH (none or entra)")
    if given == "none":
        return None
    needed = ("KEYTURN_TENANT_ID", "KEYTURN_API_CLIENT_ID")
    if missing := [name for name in needed if not env.get(name)]:
        raise SettingsError(
            f"missing settings: {', '.join(missing)}; nobody can sign in without "
            "(docs/deployment.md, Sign-in of callers)"
        )
    # The platform's own word, where it gives one; Microsoft.Identity.Web goes by it, too.
    if env.get("WEBSITE_AUTH_ENABLED", "true").lower() != "true":
        raise SettingsError(
            "App Service Authentication is switched off (WEBSITE_AUTH_ENABLED), so that anybody "
            "could say who calls; switch it on (azd provision)"
        )
    return Expected(
        tenant_id=env["KEYTURN_TENANT_ID"].lower(),
        client_id=env["KEYTURN_API_CLIENT_ID"].lower(),
        authority=env.get("KEYTURN_AUTHORITY", DEFAULT_AUTHORITY).rstrip("/"),
    )


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
    rate = env.get("KEYTURN_ONBOARDING_RATE", str(ONBOARDING_RATE))
    if not (rate.isascii() and rate.isdecimal()) or not 1 <= int(rate) <= HIGHEST_RATE:
        wrong.append(f"KEYTURN_ONBOARDING_RATE (requests an hour, 1 to {HIGHEST_RATE})")
    wrong += [
        f"{name} ({' or '.join(filter(None, words))})"
        for name, words in WORDS.items()
        if env.get(name, words[0]) not in words
    ]
    for name in ("KEYTURN_AUTHORITY", "KEYTURN_GRAPH", "KEYTURN_DEVOPS", "KEYTURN_VAULT_URL"):
        if env.get(name) and not _is_https(env[name]):
            wrong.append(f"{name} (an https URL)")
    if wrong:
        raise SettingsError("missing or malformed settings: " + ", ".join(wrong))
    return Settings(
        app=env.get("KEYTURN_APP", ""),
        tenant_id=env["KEYTURN_TENANT_ID"],
        authority=env.get("KEYTURN_AUTHORITY", DEFAULT_AUTHORITY).rstrip("/"),
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
        onboarding_rate=int(rate),
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

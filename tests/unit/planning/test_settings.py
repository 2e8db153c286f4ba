"""Settings: all that is wrong is told at once, and never a value."""

import pytest

from shared.settings import SettingsError, load, sign_in

GOOD = {
    "KEYTURN_TENANT_ID": "tenant",
    "KEYTURN_VAULT_URL": "https://vault.example/",
    "ServiceBus": "Endpoint=sb://x;SharedAccessKey=hush-1",
    "KEYTURN_STORAGE": "AccountKey=hush-2",
}
BY_IDENTITY = {
    "KEYTURN_TENANT_ID": "tenant",
    "KEYTURN_VAULT_URL": "https://vault.example",
    "ServiceBus__fullyQualifiedNamespace": "ns.example",
    "KEYTURN_STORAGE__tableServiceUri": "https://t.example",
    "KEYTURN_STORAGE__blobServiceUri": "https://b.example",
}


def test_defaults():
    settings = load(GOOD)
    assert settings.graph == "https://graph.microsoft.com/v1.0"
    assert settings.graph_host == "graph.microsoft.com"
    assert settings.vault_url == "https://vault.example"
    assert settings.pace == 1
    assert settings.scan_slice == 240
    assert not settings.private_authority


def test_by_identity():
    settings = load(BY_IDENTITY)
    assert settings.servicebus_connection == ""
    assert (settings.servicebus_namespace, settings.table_uri) == (
        "ns.example",
        "https://t.example",
    )


@pytest.mark.parametrize(
    ("authority", "private"),
    [
        ("https://login.microsoftonline.com/", False),
        ("https://login.microsoftonline.us", False),
        ("https://127.0.0.1:8443", True),
        ("https://login.microsoftonline.com.evil.example", True),
    ],
)
def test_private_authority(authority, private):
    assert load({**GOOD, "KEYTURN_AUTHORITY": authority}).private_authority is private


@pytest.mark.parametrize("seconds", ["4", "271", "2.5", "", "soon"])
def test_a_slice_of_a_scan_ends_before_its_function_does(seconds):
    with pytest.raises(SettingsError, match="KEYTURN_SCAN_SLICE"):
        load({**GOOD, "KEYTURN_SCAN_SLICE": seconds})
    assert load({**GOOD, "KEYTURN_SCAN_SLICE": "60"}).scan_slice == 60


def test_all_missing_are_named_at_once():
    with pytest.raises(SettingsError) as refusal:
        load({})
    text = str(refusal.value)
    for name in (*BY_IDENTITY, "ServiceBus or", "KEYTURN_STORAGE)"):
        assert name in text


WRONG = {
    "pace is text": {"KEYTURN_PACE": "hush-quick"},
    "pace is negative": {"KEYTURN_PACE": "-1"},
    "pace is huge": {"KEYTURN_PACE": "11"},
    "pace is no number": {"KEYTURN_PACE": "nan"},
    "plain http": {"KEYTURN_VAULT_URL": "http://hush.example"},
    "authority without scheme": {"KEYTURN_AUTHORITY": "hush.example"},
    "no host": {"KEYTURN_VAULT_URL": "https:///hush"},
    "no URL at all": {"KEYTURN_AUTHORITY": "https://[hush"},
    "graph over http": {"KEYTURN_GRAPH": "http://hush.example/v1.0"},
    "empty counts as missing": {"KEYTURN_TENANT_ID": ""},
}


@pytest.mark.parametrize("name", WRONG)
def test_malformed_ones_are_named_without_their_value(name):
    (wrong,) = WRONG[name]
    with pytest.raises(SettingsError) as refusal:
        load({**GOOD, **WRONG[name]})
    assert wrong in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_missing_and_malformed_together():
    broken = {**GOOD, "KEYTURN_PACE": "x", "KEYTURN_GRAPH": "x", "ServiceBus": ""}
    with pytest.raises(SettingsError, match=r"ServiceBus.*KEYTURN_PACE.*KEYTURN_GRAPH"):
        load(broken)


@pytest.mark.requirement("X-19")
@pytest.mark.parametrize(
    ("authority", "graph", "scope"),
    [
        (
            "login.microsoftonline.com",
            "graph.microsoft.com",
            "https://graph.microsoft.com/.default",
        ),
        ("login.microsoftonline.us", "graph.microsoft.us", "https://graph.microsoft.us/.default"),
        (
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
            "https://dod-graph.microsoft.us/.default",
        ),
        (
            "login.partner.microsoftonline.cn",
            "microsoftgraph.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn/.default",
        ),
    ],
)
def test_national_clouds_are_settings(authority, graph, scope):
    hosts = {"KEYTURN_AUTHORITY": f"https://{authority}", "KEYTURN_GRAPH": f"https://{graph}/v1.0"}
    settings = load({**GOOD, **hosts})
    assert settings.graph_host == graph
    assert settings.graph_scope == scope
    assert not settings.private_authority  # Microsoft can vouch for it


@pytest.mark.parametrize("rate", ["0", "-1", "1e3", "100001", "", "many", "²"])
def test_a_rate_is_a_number_that_is_a_limit(rate):
    with pytest.raises(SettingsError, match="KEYTURN_ONBOARDING_RATE"):
        load({**GOOD, "KEYTURN_ONBOARDING_RATE": rate})
    assert load({**GOOD, "KEYTURN_ONBOARDING_RATE": "7"}).onboarding_rate == 7
    assert load(GOOD).onboarding_rate == 100


def test_each_cloud_names_its_issuers():
    china = {
        "KEYTURN_TENANT_ID": "T-1",
        "KEYTURN_API_CLIENT_ID": "A-1",
        "KEYTURN_AUTHORITY": "https://login.partner.microsoftonline.cn/",
    }
    expected = sign_in(china)
    assert expected is not None
    assert expected.audiences == {"a-1", "api://a-1"}
    assert expected.issuers == {
        "https://login.partner.microsoftonline.cn/t-1/v2.0",
        "https://sts.windows.net/t-1/",
        "https://sts.chinacloudapi.cn/t-1/",
    }


def test_nothing_stands_before_the_api_only_where_that_is_said():
    assert sign_in({"KEYTURN_PLATFORM_AUTH": "none"}) is None
    with pytest.raises(SettingsError, match="KEYTURN_TENANT_ID, KEYTURN_API_CLIENT_ID"):
        sign_in({})

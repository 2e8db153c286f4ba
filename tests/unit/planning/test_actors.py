"""Who made the change that a finding is about: named only where the log names the thing."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.finding import AuditEntry, Finding, Item, Verdict, What
from shared.planning.actors import by_whom, targets
from tests.unit.planning.samples import NOW

pytestmark = pytest.mark.requirement("X-08")


def finding(
    what: What, id_: str, name: str, verdict: Verdict = "extra", scope: str = ""
) -> Finding:
    return Finding(
        fingerprint="f",
        item=Item(what=what, id=id_, scope=scope),
        verdict=verdict,
        code="X",
        name=name,
        remedy="",
        risk="normal",
        first_seen=NOW,
        last_seen=NOW,
    )


def entry(activity: str, *about: str, name: str = "mallory") -> AuditEntry:
    text = "\n".join(about).lower()
    return AuditEntry(activity=activity, at=NOW, name=name, id="m-1", about=text)


MAIL = finding(What.APPLICATION, "role-1", "Mail.Send")
GRANTED = "Add app role assignment to service principal"
REVOKED = "Remove app role assignment from service principal"

CASES = {
    "granted": (MAIL, GRANTED, ('"role-1"',), True),
    "another permission": (MAIL, GRANTED, ('"role-12"',), False),
    "taken away": (MAIL, REVOKED, ('"role-1"',), False),
    "missing": (replace(MAIL, verdict="missing"), REVOKED, ('"role-1"',), True),
    "scope": (
        finding(What.DELEGATED, "s-1", "Mail.Send (delegated)"),
        "Add delegated permission grant",
        ('" User.Read Mail.Send"',),
        True,
    ),
    "a longer scope": (
        finding(What.DELEGATED, "s-1", "Mail.Send (delegated)"),
        "Add delegated permission grant",
        ('"Mail.Send.Shared"',),
        False,
    ),
    "in a sentence": (
        finding(What.USER_CONSENT, "s-1", "Mail.Send (delegated, for the user u)", "foreign", "u"),
        "Consent to application",
        ("[] => [[Id: x, Scope: Mail.Send, CreatedDateTime: ]]",),
        True,
    ),
    "role": (finding(What.ROLE, "r-1", "Reader", scope="/"), "Add member to role", ("r-1",), True),
    "owner": (finding(What.OWNER, "o-1", "owner o-1"), "Add owner to application", ("o-1",), True),
    "redirect": (
        finding(What.REGISTRATION, "web redirect URIs", "", scope="https://evil.example"),
        "Update application",
        ("AppAddress", '[{"Address":"https://evil.example"}]'),
        True,
    ),
    "another address": (
        finding(What.REGISTRATION, "web redirect URIs", "", scope="https://evil.example"),
        "Update application",
        ("AppAddress", '[{"Address":"https://evil.example/other"}]'),
        False,
    ),
    "audience": (
        finding(What.REGISTRATION, "audience", "", scope="AzureADMultipleOrgs"),
        "Update application",
        ("AvailableToOtherTenants", "[true]"),
        True,
    ),
    "deleted": (
        finding(What.REGISTRATION, "application", "the application", "missing"),
        "Delete application",
        (),
        True,
    ),
    "disabled": (
        finding(What.PRINCIPAL, "sp", "the service principal", "missing"),
        "Update service principal",
        ("AccountEnabled", "[false]"),
        True,
    ),
    "secret": (
        finding(What.SECRET, "key-1", "", "foreign"),
        "Update application – Certificates and secrets management",  # noqa: RUF001 - as Entra has it
        ("[KeyIdentifier=key-1,KeyType=Password]",),
        True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_entry_is_about_a_finding_or_is_not(name: str):
    found, activity, about, fits = CASES[name]
    actor = by_whom(found, [entry(activity, *about)])
    assert (actor is not None) == fits
    if actor is not None:
        assert (actor.name, actor.id, actor.activity, actor.at) == ("mallory", "m-1", activity, NOW)


def test_the_latest_entry_counts():
    late = replace(entry(GRANTED, "role-1", name="trent"), at=NOW + timedelta(hours=1))
    actor = by_whom(MAIL, [entry(GRANTED, "role-1"), late, entry(GRANTED, "role-1", name="eve")])
    assert actor is not None and actor.name == "trent"


def test_what_the_log_is_asked_about():
    def of(found: Finding) -> str:
        return targets(found, application="app", principal="sp")

    assert of(MAIL) == "sp"
    assert of(finding(What.SECRET, "key-1", "")) == "app"
    assert of(finding(What.CONFIGURED, "p", "")) == "app"
    assert of(finding(What.OWNER, "o-1", "")) == "o-1"

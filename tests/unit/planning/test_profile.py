"""Profiles are read strictly; durations have one form; templates name what they lack."""

from datetime import timedelta

import msgspec
import pytest

from shared.model.connection import Facts
from shared.model.directory import Kind, Tenant
from shared.model.duration import parse_duration
from shared.model.profile import fill, holds, references
from shared.planning.templates import template_values
from shared.profile import catalogue, parse
from shared.profile.document import ProfileInvalid
from tests.unit.planning.samples import spec

PLAIN = """
schema: connector-profile/v1
id: sample
title: Sample
sources: [somewhere]
registration:
  display_name: Sample
outputs:
  - {name: id, label: Id, value: "${app.client_id}"}
"""
PERMISSIONS = "permissions: [{kind: application, names: [User.Read.All]}]\n"


def test_defaults():
    profile = parse(PLAIN + PERMISSIONS)
    assert profile.registration.audience == "single_tenant"
    assert profile.credential.renew_before == timedelta(days=30)
    assert profile.permissions[0].resource == "microsoft-graph"
    assert profile.permissions[0].kind is Kind.APPLICATION
    assert profile.drift.policy == "report"
    assert profile.directory_roles == ()


WRONG = {
    "unknown key": ("colour: red\n", "profile: Object contains unknown field `colour`"),
    "unknown key further down": (
        "credential: {kind: client_secret, life: P1D}\n",
        "credential: Object contains unknown field `life`",
    ),
    "unknown key in a list": (
        "permissions: [{kind: application, names: [], risk: low}]\n",
        "permissions[0]: Object contains unknown field `risk`",
    ),
    "unknown kind": ("permissions: [{kind: app, names: []}]\n", "permissions[0].kind: "),
    "unknown value": ("drift: {policy: ignore}\n", "drift.policy: "),
    "wrong type": ("directory_roles: Helpdesk\n", "directory_roles: "),
    "missing key": ("discovery: {}\n", "discovery: Object missing required field `modes`"),
    "duration": ("credential: {renew_before: 30}\n", "credential.renew_before: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_profiles_are_refused_with_the_path(name):
    more, text = WRONG[name]
    with pytest.raises(ProfileInvalid) as refusal:
        parse(PLAIN + more)
    assert text in str(refusal.value)


def test_schema_version_is_required():
    with pytest.raises(ProfileInvalid, match=r"sample\.yaml: schema: "):
        parse(PLAIN.replace("profile/v1", "profile/v2"), "sample.yaml")


def test_the_catalogue_is_consistent():
    profiles = catalogue()
    assert "devolutions-server" in profiles
    for name, profile in profiles.items():
        assert profile.id == name
        known = {*profile.features} | {f"!{feature}" for feature in profile.features}
        for entry in (*profile.permissions, *profile.least_privilege, *profile.directory_roles):
            assert set(entry.when) <= known, entry


DURATIONS = {
    "P180D": timedelta(days=180),
    "PT12H": timedelta(hours=12),
    "P1DT1H30M": timedelta(days=1, hours=1, minutes=30),
    "PT0.5S": timedelta(milliseconds=500),
    "P0D": timedelta(),
}


@pytest.mark.parametrize("text", DURATIONS)
def test_durations(text):
    assert parse_duration(text) == DURATIONS[text]


@pytest.mark.parametrize(
    "text",
    # the last one has a digit that is none of ASCII's
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P6M",
        "P2W",
        "180D",
        "P-1D",
        "p1d",
        "P1.5D",
        "P1D ",
        "P\u0661D",
    ],
)
def test_other_forms_are_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_a_duration_beyond_any_calendar_is_refused():
    with pytest.raises(ValueError, match="longer than any calendar"):
        parse_duration("P9999999999D")


@pytest.mark.parametrize(
    ("when", "expected"),
    [((), True), (("on",), True), (("off",), False), (("!off",), True), (("!on",), False),
     (("on", "!off"), True), (("on", "off"), False), (("unknown",), False), (("!unknown",), True)],
)  # fmt: skip
def test_conditions(when, expected):
    assert holds(when, {"on": True, "off": False}) is expected


def test_templates():
    assert fill("${a.b} and ${a.b}, $ {x}", {"a.b": "1"}) == "1 and 1, $ {x}"
    assert fill("${a}", {"a": "${b}"}) == "${b}"  # values are not templates
    assert references("${inputs.name} ${today}") == ("inputs.name", "today")
    with pytest.raises(KeyError, match="inputs"):
        fill("${inputs.name}", {})


def test_template_values():
    asked = msgspec.structs.replace(
        spec(), inputs={"text": "x", "none": None, "list": ["a", "b"], "number": 3}
    )
    values = template_values(
        asked,
        Tenant(id="t", name="Contoso", initial_domain="contoso.example"),
        Facts(object_id="o", client_id="c", principal_id="p"),
        "2026-03-01",
    )
    assert values == {
        "inputs.text": "x",
        "inputs.none": "",
        "inputs.list": "a, b",
        "inputs.number": "3",
        "connection": "dvls",
        "tenant.id": "t",
        "tenant.initial_domain": "contoso.example",
        "app.client_id": "c",
        "app.object_id": "o",
        "sp.object_id": "p",
        "today": "2026-03-01",
    }

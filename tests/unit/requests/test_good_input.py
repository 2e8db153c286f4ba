"""Good requests become complete specs."""

import pytest

from shared.model.connection import Approval, Spec
from shared.model.profile import Input
from shared.requests import Order, Problem, Request, check_message, check_request
from shared.requests.inputs import CHECKS, check_inputs
from shared.requests.problem import Problems
from shared.requests.text import is_name, shown, unsafe
from tests.bad_input import http_bodies, queue_messages
from tests.bad_input.wanted import encoded


def accepted(document: object) -> Request:
    outcome = check_request(encoded(document))
    assert isinstance(outcome, Request), outcome
    return outcome


def test_defaults_are_filled_in():
    minimal = {
        "name": "dvls",
        "profile": "devolutions-server",
        "inputs": {"provider_name": "DVLS", "config_name": "nightly"},
    }
    assert accepted(minimal).spec == Spec(
        name="dvls",
        profile="devolutions-server",
        features={"discovery": True, "password_rotation": True},
        inputs={
            "provider_name": "DVLS",
            "config_name": "nightly",
            "search_mode": "groups",
            "filter": [],
            "secret_lifetime": "P180D",
        },
    )


def test_a_feature_that_defaults_to_auto_can_be_forced():
    forced = {**http_bodies.GOOD, "features": {"admin_targets": True}}
    assert accepted(forced).spec.features["admin_targets"] is True


@pytest.mark.requirement("D-27")
def test_an_input_is_needed_only_with_its_feature():
    document = {
        **http_bodies.GOOD,
        "features": {"discovery": False},
        "inputs": {"provider_name": "DVLS", "description": ""},
    }
    inputs = accepted(document).spec.inputs
    assert "config_name" not in inputs
    assert "description" not in inputs


def test_text_of_any_language_is_welcome():
    name = "Zoë\u2019s Passwörter \u2013 パスワード 🔑"
    document = {**http_bodies.GOOD, "inputs": {"provider_name": name, "config_name": "n"}}
    assert accepted(document).spec.inputs["provider_name"] == name


def test_the_same_request_in_another_order_is_the_same():
    again = dict(reversed(http_bodies.GOOD.items()))
    assert accepted(again) == accepted(http_bodies.GOOD)


def test_an_approval_comes_along():
    document = {**http_bodies.GOOD, "approval": {"reason": "reviewed in CHG-7"}}
    assert accepted(document).approval == Approval(reason="reviewed in CHG-7")


@pytest.mark.requirement("X-02")
def test_a_message_says_the_same_as_a_request():
    order = check_message(encoded(queue_messages.GOOD))
    assert isinstance(order, Order)
    assert order.spec == accepted(http_bodies.GOOD).spec


@pytest.mark.parametrize("kind", ["rotate", "verify", "discover"])
def test_other_orders_need_only_the_connection(kind: str):
    message = {**queue_messages.ROTATE, "kind": kind, "operation": "op-1", "attempt": 3}
    order = check_message(encoded(message))
    assert order == Order(kind=kind, connection="dvls-prod")


@pytest.mark.parametrize("name", ["ab", "dvls-prod-2", "a" * 121, "a1-b2-c3"])
def test_good_names(name: str):
    assert is_name(name)
    assert accepted({**http_bodies.GOOD, "name": name}).spec.name == name


@pytest.mark.requirement("M-18")
@pytest.mark.parametrize(
    ("declared", "given", "kept"),
    [
        (Input(type="int", min=1, max=24), 24, 24),
        (Input(type="csv"), " a, B,,b , c", ["a", "B", "c"]),
        (Input(type="csv"), ["with, comma", "x"], ["with, comma", "x"]),
        (Input(type="map"), {"a": "b"}, {"a": "b"}),
        (Input(type="uri"), "https://app.example/callback?x=1", None),
        (Input(type="uri"), "http://localhost:8080/", None),
        (
            Input(type="uuid"),
            "2F1C8E0A-52B7-4F0E-9D51-6F2F0A7B9C3D",
            "2f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d",
        ),
        (Input(type="duration", min="P1D", max="P730D"), "P1DT12H", None),
        (Input(type="list", values=("user", "group")), ["group"], None),
        (Input(type="string", pattern="[A-Z]{3}"), "ABC", None),
    ],
)
def test_types_of_inputs(declared: Input, given: object, kept: object):
    assert CHECKS[declared.type](given, declared) == (given if kept is None else kept)


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (Input(type="int", min=1, max=24), 0),
        (Input(type="int"), True),
        (Input(type="int"), 1.0),
        (Input(type="int"), "1"),
        (Input(type="int"), 10**30),
        (Input(type="csv"), 7),
        (Input(type="csv"), [1, 2]),
        (Input(type="map"), ["a"]),
        (Input(type="map"), {"a": 1}),
        (Input(type="map"), {"a": "${secret.value}"}),
        (Input(type="uri"), "http://app.example/"),
        (Input(type="uri"), "https://user@app.example/"),
        (Input(type="uri"), "https://app.example/#fragment"),
        (Input(type="uri"), "https://[::1/"),
        (Input(type="uri"), "https://app.example:port/"),
        (Input(type="uri"), "javascript:alert(1)"),
        (Input(type="uri"), "https://"),
        (Input(type="uri"), "https://app.example/a b"),
        (Input(type="uuid"), "not-an-id"),
        (Input(type="uuid"), "2f1c8e0a52b74f0e9d516f2f0a7b9c3d"),
        (Input(type="list", values=("user", "group")), ["device"]),
        (Input(type="string", pattern="[A-Z]{3}"), "ABCD"),
        (Input(type="string", min=3), "ab"),
    ],
)
def test_types_of_inputs_refuse(declared: Input, given: object):
    problems = problems_of(declared, given)
    assert [(p.field, p.code) for p in problems] == [("inputs.value", "INPUT_INVALID")]


def problems_of(declared: Input, given: object) -> list[Problem]:
    from shared.model.profile import Output, Profile, Registration

    profile = Profile(
        schema="connector-profile/v1",
        id="any",
        title="Any",
        sources=("made up",),
        registration=Registration(display_name="any"),
        outputs=(Output(name="n", label="n", value="v"),),
        inputs={"value": declared},
    )
    found = Problems()
    check_inputs(profile, {}, {"value": given}, found)
    return found.listed()


def test_unsafe_characters_are_shown_escaped_and_cut():
    assert shown("a\u202eb", 20) == "a\\u202eb"
    assert shown("x" * 30, 10) == "x" * 9 + "…"
    assert unsafe("plain") is None

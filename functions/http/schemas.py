"""JSON schemas of what callers may send, derived from the profiles."""

from typing import Any

from functions.http import import_schemas
from functions.http.wanted_schemas import Schema, required, wanted
from shared.messages import VERSION
from shared.model.profile import Profile
from shared.profile import catalogue
from shared.requests.change import CHANGEABLE
from shared.requests.decisions import CHOICES
from shared.requests.decisions import MAX_REASON as DECISION_REASON
from shared.requests.order import MAX_OPERATION, ORDERS
from shared.requests.removals import VERDICTS
from shared.requests.request import MAX_OWNER, MAX_REASON
from shared.requests.side import MAX_ID
from shared.requests.text import NAME

NAME_SCHEMA: Schema = {
    "type": "string",
    "pattern": f"^{NAME}$",
    "minLength": 2,
    "maxLength": 121,
    "description": "Name of the connection, and of its secret in Key Vault.",
}

DRY_RUN: Schema = {
    "type": "boolean",
    "description": "Answer the plan; store nothing and start nothing.",
}

APPROVAL: Schema = {
    "type": "object",
    "description": "Who approves is the caller, who needs the app role Keyturn.Approver.",
    "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": MAX_REASON}},
    "required": ["reason"],
    "additionalProperties": False,
}

OFFBOARDING: Schema = {
    "type": "object",
    "properties": {
        "reason": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_REASON,
            "description": "Why the product leaves; it goes into the audit history.",
        }
    },
    "required": ["reason"],
    "additionalProperties": False,
}

SAID_BY: dict[str, Schema] = {
    "by": {
        "type": "string",
        "maxLength": MAX_OWNER,
        "description": "Who says so, if it is not the caller.",
    },
    "note": {"type": "string", "maxLength": MAX_REASON},
}

PRECONDITION: Schema = {"type": "object", "properties": SAID_BY, "additionalProperties": False}

TAKEN_OVER: dict[str, Schema] = {
    "version": {
        "type": "string",
        "maxLength": MAX_ID,
        "description": "Version of the vault that the product uses; refused if not the served one.",
    },
    "operation": {
        "type": "string",
        "maxLength": MAX_ID,
        "description": "The operation that published it, in place of the version.",
    },
    **SAID_BY,
}

ACKNOWLEDGEMENT: Schema = {
    "type": "object",
    "properties": TAKEN_OVER,
    "additionalProperties": False,
}

DECISION: Schema = {
    "type": "object",
    "description": "Who decides is the caller, who needs the app role Keyturn.Approver.",
    "properties": {
        "decision": {"enum": list(CHOICES)},
        "reason": {"type": "string", "minLength": 1, "maxLength": DECISION_REASON},
        "until": {
            "type": "string",
            "format": "date",
            "description": "The last day of an acceptance; without it, until the thing changes.",
        },
    },
    "required": ["decision", "reason"],
    "additionalProperties": False,
}

REMOVALS: Schema = {
    "type": "object",
    "description": "Who decides is the caller, who needs the app role Keyturn.Approver.",
    "properties": {
        "decision": {
            "enum": list(VERDICTS),
            "description": "approve: the held rows go; drop: they stay until a scan decides anew.",
        },
        "reason": {"type": "string", "minLength": 1, "maxLength": DECISION_REASON},
    },
    "required": ["decision", "reason"],
    "additionalProperties": False,
}

ROTATION: Schema = {
    "type": "object",
    "properties": {
        "emergency": {
            "type": "boolean",
            "default": False,
            "description": "The secret is known to others: replace it and remove it at once, "
            "without an overlap, in the place of whatever operation is in flight.",
        },
        "reason": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_REASON,
            "description": "What has happened; it goes into the audit history. An emergency "
            "needs one.",
        },
        "force": {
            "type": "boolean",
            "default": False,
            "description": "Remove the old secret even when the new one cannot be verified: the "
            "product then has none until one can.",
        },
        "disable_sign_in": {
            "type": "boolean",
            "default": False,
            "description": "Disable the service principal until every old secret is removed.",
        },
        "discard_next": {
            "type": "boolean",
            "default": False,
            "description": "The staged next secret is known to others, too: make another one.",
        },
    },
    "dependentSchemas": {
        name: {"properties": {"emergency": {"const": True}}, "required": ["emergency"]}
        for name in ("reason", "force", "disable_sign_in", "discard_next")
    },
    "if": {"properties": {"emergency": {"const": True}}, "required": ["emergency"]},
    "then": {"required": ["reason"]},
    "additionalProperties": False,
}

DISCOVERY: Schema = {
    "type": "object",
    "properties": {
        "force_full": {
            "type": "boolean",
            "default": False,
            "description": "Read everything, also where only changes would be read.",
        }
    },
    "additionalProperties": False,
}

SPECIAL = ("onboard", "change", "import", "acknowledge")
"""Orders with fields of their own."""

EMPTY: Schema = {"type": "object", "additionalProperties": False}


def bodies() -> dict[str, Schema]:
    """Every schema of a body by name."""
    return {
        "ConnectionRequest": _by_profile(_request),
        "AcceptedOrEmergency": _either("Accepted", "EmergencyView"),
        "AcceptedOrPlan": _either("Accepted", "Plan"),
        "ChangeOrPlan": _either("ChangeView", "Plan"),
        "ChangeRequest": _by_profile(_change),
        "ApprovalRequest": APPROVAL,
        "OffboardingRequest": OFFBOARDING,
        "AcknowledgementRequest": ACKNOWLEDGEMENT,
        "PreconditionRequest": PRECONDITION,
        "DecisionRequest": DECISION,
        "RemovalsRequest": REMOVALS,
        "RotationRequest": ROTATION,
        "DiscoveryRequest": DISCOVERY,
        "EmptyRequest": EMPTY,
        **import_schemas.bodies(),
        "ProvisioningMessage": {
            "description": "Message of the provisioning queue; messageId makes it unique.",
            "oneOf": [
                _order(),
                _import(),
                _acknowledgement(),
                *(_changing(profile) for profile in catalogue().values()),
                *(_onboarding(profile) for profile in catalogue().values()),
            ],
        },
    }


def _either(*names: str) -> Schema:
    return {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


def _by_profile(make: Any) -> Schema:
    return {"oneOf": [make(profile) for profile in catalogue().values()]}


def _request(profile: Profile) -> Schema:
    return {
        "title": profile.title,
        "type": "object",
        "properties": {
            "name": NAME_SCHEMA,
            **wanted(profile),
            "approval": APPROVAL,
            "dry_run": DRY_RUN,
        },
        "required": ["name", *required(profile)],
        "additionalProperties": False,
    }


def _change(profile: Profile) -> Schema:
    """A merge patch: null goes back to the profile's default."""
    return {
        "title": f"Change: {profile.title}",
        "type": "object",
        "properties": {**_changes(profile), "dry_run": DRY_RUN},
        "minProperties": 1,
        "additionalProperties": False,
    }


def _changing(profile: Profile) -> Schema:
    return {
        "title": f"Change: {profile.title}",
        "type": "object",
        "properties": {**_envelope({"const": "change"}), **_changes(profile)},
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _changes(profile: Profile) -> dict[str, Schema]:
    schemas = {name: schema for name, schema in wanted(profile).items() if name in CHANGEABLE}
    for part in ("features", "inputs"):
        values = schemas[part]["properties"].items()
        or_default = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in values}
        schemas[part] = {"type": "object", "properties": or_default, "additionalProperties": False}
    return schemas


def _onboarding(profile: Profile) -> Schema:
    return {
        "title": f"Onboard: {profile.title}",
        "type": "object",
        "properties": {**_envelope({"const": "onboard"}), **wanted(profile)},
        "required": ["apiVersion", "kind", "connection", *required(profile)],
        "additionalProperties": False,
    }


def _order() -> Schema:
    kinds = [kind for kind in ORDERS if kind not in SPECIAL]
    return {
        "title": "Work on a connection",
        "type": "object",
        "properties": _envelope({"enum": kinds}),
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _acknowledgement() -> Schema:
    return {
        "title": "Say that the product uses the published secret",
        "type": "object",
        "properties": {**_envelope({"const": "acknowledge"}), **TAKEN_OVER},
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _import() -> Schema:
    return {
        "title": "Import users and groups into a connection's product",
        "type": "object",
        "properties": {**_envelope({"const": "import"}), **import_schemas.WISH},
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _envelope(kind: Schema) -> dict[str, Schema]:
    return {
        "apiVersion": {"const": VERSION},
        "kind": kind,
        "connection": NAME_SCHEMA,
        "operation": {"type": "string", "maxLength": MAX_OPERATION},
        "attempt": {"type": "integer", "minimum": 1},
    }

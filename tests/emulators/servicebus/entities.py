"""The entities of the tests, in the format of Microsoft's emulator."""

import json
from collections.abc import Mapping
from typing import Any

_PLAIN = {"LockDuration": "PT30S", "MaxDeliveryCount": 3, "DefaultMessageTimeToLive": "PT1H"}
_SHORT = {**_PLAIN, "LockDuration": "PT2S"}
_FIVE = {**_PLAIN, "LockDuration": "PT5S"}
_EXPIRING = {**_PLAIN, "DeadLetteringOnMessageExpiration": True}
_DISTINCT = {
    **_PLAIN,
    "RequiresDuplicateDetection": True,
    "DuplicateDetectionHistoryTimeWindow": "PT20S",
}
_SESSIONS = {**_FIVE, "RequiresSession": True}

QUEUES: dict[str, Mapping[str, Any]] = {
    "q1": _PLAIN,
    "properties": _PLAIN,
    "batch": _PLAIN,
    "abandon": _PLAIN,
    "deadletter": _PLAIN,
    "deadletter2": _PLAIN,
    "defer": _PLAIN,
    "schedule": _PLAIN,
    "peek": _PLAIN,
    "delete": _PLAIN,
    "prefetch": _PLAIN,
    "oversize": _PLAIN,
    "drain": _PLAIN,
    "locks": _PLAIN,
    "qshort": _SHORT,
    "q5": _FIVE,
    "qttl": _EXPIRING,
    "qdup": _DISTINCT,
    "qsess": _SESSIONS,
    "waiting": _SESSIONS,
    "sessionlock": {**_SESSIONS, "LockDuration": "PT2S"},
    "perf": {**_PLAIN, "LockDuration": "PT5M", "MaxDeliveryCount": 10},
    "forwarding": {**_PLAIN, "ForwardTo": "forwarded"},
    "forwarded": {**_PLAIN, "ForwardDeadLetteredMessagesTo": "graveyard"},
    "graveyard": _PLAIN,
}

_WANTED = {"CorrelationFilter": {"Label": "wanted", "Properties": {"kind": "a"}}}
TOPIC = {
    "Name": "t1",
    "Properties": {},
    "Subscriptions": [
        {"Name": "s1", "Properties": _PLAIN},
        {
            "Name": "s2",
            "Properties": {"LockDuration": "PT30S"},
            "Rules": [
                {"Name": "r", "Properties": {"FilterType": "Correlation", **_WANTED}},
            ],
        },
        {
            "Name": "s3",
            "Properties": {},
            "Rules": [
                {
                    "Name": "r",
                    "Properties": {
                        "FilterType": "Sql",
                        "SqlFilter": {"SqlExpression": "sys.Label LIKE 'wa%' AND size > 10"},
                    },
                },
            ],
        },
    ],
}


def config_text(queues: Mapping[str, Mapping[str, Any]] = QUEUES) -> str:
    """Answer a config.json, with comments as in the file that Microsoft ships."""
    namespace = {
        "Name": "sbemulatorns",
        "Queues": [{"Name": name, "Properties": dict(queues[name])} for name in queues],
        "Topics": [TOPIC],
    }
    content = {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "Console"}}}
    return "// made for the tests\n" + json.dumps(content, indent=1)

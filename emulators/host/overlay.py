"""JSON bodies overwrite message metadata: a trap of the Azure host, imitated on purpose.

When the trigger value reaches a worker as a string that is a JSON object, the host copies each of
its top-level properties over the metadata, ignoring case (Utility.ApplyBindingData of the host). A
sender can so forge a message id, or make a message fail before any user code runs.
``data_type="binary"`` avoids it.
"""

import json
from collections.abc import Mapping
from typing import Any

from azure.functions.meta import Datum


def overlay(metadata: Mapping[str, Datum], body: str) -> dict[str, Datum]:
    """The metadata as the function gets it; the spelling of existing names is kept."""
    try:
        document = json.loads(body)
    except ValueError:
        return dict(metadata)
    if not isinstance(document, dict):
        return dict(metadata)
    result = dict(metadata)
    spelling = {name.lower(): name for name in metadata}
    for name, value in document.items():
        if value is not None and not isinstance(value, list):
            result[spelling.setdefault(name.lower(), name)] = _datum(value)
    return result


def _datum(value: Any) -> Datum:
    if isinstance(value, dict):
        return Datum(json.dumps(value), "json")
    return Datum(value if isinstance(value, str) else str(value), "string")

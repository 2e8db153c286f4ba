"""``python -m functions``: write the files that are derived from the code (`make generate`)."""

import sys
from pathlib import Path

import azure.functions as func

import functions
from functions import access, rights
from functions.calls import CALLS
from shared.profile.reference import json_schema
from shared.profile.reference.page import page
from shared.step import STEPS
from shared.telemetry import reference
from shared.topology import render

ROOT = Path(__file__).parent.parent


def indexed() -> dict[str, list[str]]:
    """Names of all functions by what triggers them."""
    app = func.FunctionApp()
    functions.load(app)
    found: dict[str, list[str]] = {"http": [], "timers": [], "steps": [], "watchers": []}
    for function in app.get_functions():
        trigger = str(function.get_bindings_dict()["bindings"][0]["type"])
        name = str(function.get_function_name())
        if trigger == "httpTrigger":
            found["http"].append(name)
        elif trigger == "timerTrigger":
            found["timers"].append(name)
        else:
            found["watchers" if name.endswith("_dead_letters") else "steps"].append(name)
    return {kind: sorted(found[kind]) for kind in found}


def generated() -> dict[Path, str]:
    """Contents of every generated file: from the steps, and from the profiles' model."""
    functions.declare_steps()
    profiles = Path("docs/profiles.md")
    return {
        **render(STEPS.values(), indexed()),
        **reference.files(),
        Path("docs/access.md"): access.page(CALLS),
        **rights.files(),
        Path("docs/profile.schema.json"): json_schema(),
        profiles: page((ROOT / profiles).read_text("utf-8")),
    }


def stale() -> list[Path]:
    """Generated files that differ from what the code says."""
    return [
        path
        for path, text in generated().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]


def main() -> int:
    for path, text in generated().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Generated files are as fresh as the steps they come from; cold start stays at its floor."""

import subprocess
import sys

from functions import declare_steps
from functions.__main__ import indexed, stale
from shared.messages import CHAIN
from shared.step import STEPS

SDKS = ("msgraph", "azure.servicebus", "azure.identity", "azure.keyvault", "azure.data", "httpx")


def test_generated_files_are_fresh() -> None:
    assert stale() == [], "run: make generate"


def test_every_step_of_a_chain_is_declared_and_every_step_has_its_triggers() -> None:
    declare_steps()
    chained = {name for chain in CHAIN.values() for name in chain}
    internal = {step.name for step in STEPS.values() if step.entrance is None}
    assert chained == internal
    names = indexed()
    as_functions = {name.replace("-", "_") for name in STEPS}
    assert set(names["steps"]) == as_functions
    assert set(names["watchers"]) == {f"{name}_dead_letters" for name in as_functions}


def test_indexing_imports_no_sdk() -> None:
    code = (
        "import sys, function_app;"
        f"print([m for m in {SDKS!r} if any(n == m or n.startswith(m + '.') for n in sys.modules)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_no_installed_distribution_shadows_our_packages() -> None:
    """In Azure the app's folder comes last on the path."""
    from importlib.metadata import packages_distributions

    assert not {"functions", "shared"} & set(packages_distributions())

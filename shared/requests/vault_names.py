"""Names that the product reads in Key Vault: too long a one is told before anything is made."""

from collections.abc import Mapping
from typing import Any

from shared.model.profile import Profile, fill, holds, references
from shared.planning.vault_entries import VAULT_NAME
from shared.requests.problem import Problems

LONGEST = 127
ID = "0" * 36
"""Stands for the ids that the tenant will give."""


def check_vault_names(
    profile: Profile,
    name: str,
    features: Mapping[str, bool],
    inputs: Mapping[str, Any],
    found: Problems,
) -> None:
    """Fill every `vault_name` that the request makes use of, as far as the request is known."""
    known = {f"inputs.{key}": str(value) for key, value in inputs.items()}
    known["connection"] = name
    for output in profile.outputs:
        used = references(output.vault_name)
        if not output.vault_name or not holds(output.when, features):
            continue
        if any(r.startswith("inputs.") and r not in known for r in used):
            continue  # that input is a problem already
        stored = fill(output.vault_name, {r: known.get(r, ID) for r in used})
        if VAULT_NAME.fullmatch(stored):
            continue
        at_fault = next((r for r in used if r.startswith("inputs.")), "name")
        message = f"{at_fault} makes a name of {len(stored)} characters in Key Vault: {stored}"
        hint = f"letters, digits and hyphens, at most {LONGEST} of them in all"
        found.add(at_fault, "VAULT_NAME_INVALID", message, hint)
        return

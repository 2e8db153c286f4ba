"""Outputs: what they hold, and the names that they have in Key Vault."""

import re
import string
from collections.abc import Iterator

from shared.model.profile import Output, Profile, fill, references
from shared.profile.lint.conditions import exclude
from shared.profile.lint.finding import Finding, error, info

LONGEST = 127
"""Characters of a name in Key Vault; letters, digits and hyphens only."""

LONGEST_CONNECTION = 121
"""Characters of a connection's name, which has no other characters than these."""

_LEGAL = re.compile(r"[0-9a-zA-Z-]*")
_ILLEGAL = "".join(c for c in string.printable if not _LEGAL.fullmatch(c)) + "é"
_LENGTHS = {
    "connection": LONGEST_CONNECTION,
    "tenant.id": 36,
    "app.client_id": 36,
    "app.object_id": 36,
    "sp.object_id": 36,
    "today": 10,
}
"""Members whose values are legal in a vault's name, and how long they get."""


def check_outputs(profile: Profile) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, output in enumerate(profile.outputs):
        path = f"outputs[{place}]"
        if output.name in seen:
            yield error("OUTPUT_DUPLICATE", f"{path}.name", f"{output.name} is there already")
        seen.add(output.name)
        yield from _content(output, path)
        yield from _vault_name(profile, output, f"{path}.vault_name")
    yield from _same_vault_name(profile)


def _content(output: Output, path: str) -> Iterator[Finding]:
    if bool(output.file) != bool(output.merge):
        yield error("OUTPUT_EMPTY", path, "a fragment of a file has both file and merge")
    if not output.value and not output.merge:
        yield error("OUTPUT_EMPTY", path, "an output has a value, or file and merge")
    if output.secret and not stored_as(output):
        message = "a secret output other than ${secret.value} needs a name in the vault"
        yield error("VAULT_NAME_INVALID", f"{path}.vault_name", message)


def stored_as(output: Output) -> str:
    """Template of the name in the vault; empty for what is not stored there."""
    served = output.secret and "secret.value" in references(output.value)
    return output.vault_name or ("${connection}" if served else "")


def _vault_name(profile: Profile, output: Output, path: str) -> Iterator[Finding]:
    template = output.vault_name
    used = references(template)
    fixed = fill(template, dict.fromkeys(used, ""))
    if not _LEGAL.fullmatch(fixed):
        message = f"{fixed} has characters that Key Vault refuses: letters, digits, hyphens only"
        yield error("VAULT_NAME_INVALID", path, message)
    length = len(fixed)
    for reference in used:
        longest = _longest(profile, reference)
        if longest is None:
            message = f"the value of ${{{reference}}} can have characters that Key Vault refuses"
            yield error("VAULT_NAME_INVALID", path, message)
            return
        length += longest
    if length > LONGEST:
        message = f"the name can have {length} characters: requests beyond {LONGEST} are refused"
        yield info("VAULT_NAME_INVALID", path, message)


def _longest(profile: Profile, reference: str) -> int | None:
    """Characters that a value can have; None when some of them may be illegal."""
    declared = profile.inputs.get(reference.removeprefix("inputs."))
    if not reference.startswith("inputs.") or declared is None:
        return _LENGTHS.get(reference)
    if declared.type in ("uuid", "int"):
        return 36
    if declared.type == "enum":
        values = declared.values or ()
        return max(map(len, values)) if all(map(_LEGAL.fullmatch, values)) else None
    if declared.type != "string" or not declared.pattern:
        return None
    # No proof, but an illegal character alone, first, last or between legal ones is refused.
    probes = (f"{a}{c}{b}" for c in _ILLEGAL for a in ("", "a", "aa") for b in ("", "a", "aa"))
    if any(re.fullmatch(declared.pattern, probe) for probe in probes):
        return None
    return declared.max if isinstance(declared.max, int) else LONGEST


def _same_vault_name(profile: Profile) -> Iterator[Finding]:
    stored = [
        (f"outputs[{place}].vault_name", stored_as(output).lower(), output)
        for place, output in enumerate(profile.outputs)
        if stored_as(output)
    ]
    for place, (path, name, output) in enumerate(stored):
        for _, other_name, other in stored[:place]:
            if name == other_name and not exclude(output.when, other.when):
                message = f"{other.name} has the same name in the vault"
                yield error("OUTPUT_DUPLICATE", path, message)

"""The package's bill of materials, as CycloneDX: which versions of what, by which hashes."""

import tomllib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release import archive, licences, locks
from release.locks import LOCKS, PRODUCT, ROOT, Pin, pins
from release.site import named

NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""Of names that are URLs (RFC 9562), for the bill's own number."""


class Unlocked(Exception):
    """What is installed is not what was locked."""


def write(found: Sequence[Distribution], lock: Path, target: Path) -> None:
    """Describe what was *found*; raises `Unlocked` for anything that *lock* does not name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(document(found, lock), "utf-8")


def document(found: Sequence[Distribution], lock: Path) -> str:
    """The bill as JSON, held against the schema; the same text for the same contents."""
    policy, locked = licences.Policy.read(), {(pin.name, pin.version): pin for pin in pins(lock)}
    parts = {named(each): _component(each, locked, policy) for each in found}
    root = Component(name="keyturn", type=ComponentType.APPLICATION, version=_version())
    root.bom_ref.value = "keyturn"
    bom = Bom(
        components=parts.values(),
        serial_number=uuid.uuid5(NAMESPACE, f"keyturn:{archive.sha256(lock)}"),
    )
    bom.metadata.component = root
    bom.metadata.timestamp = datetime(*archive.moment()[:6], tzinfo=UTC)
    asked = [Requirement(line) for line in locks.lines(ROOT / LOCKS[PRODUCT])]
    bom.register_dependency(root, _among(parts, {name for name, _ in _with_extras(asked)}))
    for name, needs in _needs(found, asked).items():
        bom.register_dependency(parts[name], _among(parts, needs))
    text = str(JsonV1Dot6(bom).output_as_string(indent=2))
    check(text)
    return text + "\n"


def check(text: str) -> None:
    """Raise `ValueError` unless it is a CycloneDX 1.6 document."""
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise ValueError(f"not a CycloneDX document: {wrong}")


def _component(
    found: Distribution, locked: Mapping[tuple[str, str], Pin], policy: licences.Policy
) -> Component:
    name = named(found)
    pin = locked.get((name, found.version))
    if pin is None:
        raise Unlocked(f"{name} {found.version} is in the package and in no lock file")
    expression = licences.licence(found, policy).expression
    url = PackageURL("pypi", name=name, version=found.version)
    return Component(
        name=name,
        version=found.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=str(url),
        description=found.metadata["Summary"],
        licenses=[LicenseFactory().make_from_string(expression)] if expression else [],
        hashes=[HashTypeFactory().from_composite_str(each) for each in pin.hashes],
    )


def _needs(found: Sequence[Distribution], asked: Sequence[Requirement]) -> dict[str, set[str]]:
    """Names of what each asks for on this Python, with the extras that are wanted of it."""
    requires = {named(each): [Requirement(text) for text in each.requires or ()] for each in found}
    needs: dict[str, set[str]] = {name: set() for name in requires}
    seen: set[tuple[str, str]] = set()
    waiting = _with_extras(asked)
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or name not in requires:
            continue
        seen.add((name, extra))
        wanted = [
            each
            for each in requires[name]
            if each.marker is None or each.marker.evaluate({"extra": extra})
        ]
        needs[name] |= {canonicalize_name(each.name) for each in wanted}
        waiting += _with_extras(wanted)
    return needs


def _with_extras(wanted: Sequence[Requirement]) -> list[tuple[str, str]]:
    return [
        (canonicalize_name(each.name), extra) for each in wanted for extra in ("", *each.extras)
    ]


def _among(parts: Mapping[str, Component], names: set[str]) -> list[Component]:
    return [parts[name] for name in sorted(names & parts.keys())]


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])

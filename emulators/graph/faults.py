"""Faults on demand: which call goes wrong, how, how often, and for how long.

F1 to F17 are the faults of Microsoft Graph that are known from reports; each has the wire form
that was seen there. DF-01 to DF-32 are those of reading many accounts. Everything is
deterministic: by count, by pattern, by the emulated clock, or by a seeded chance.
"""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from emulators.clock import Clock
from emulators.graph import discovery_faults
from emulators.graph.errors import bad_request
from emulators.graph.ids import Ids
from emulators.graph.routing import plain_path

APPLICATION = [
    "GET /applications/{id}",
    "PATCH /applications/{id}",
    "POST /applications/{id}/addPassword",
]
SECRETS = ["POST /applications/{id}/addPassword", "POST /applications/{id}/removePassword"]
PRINCIPAL = ["POST /servicePrincipals", "PATCH /servicePrincipals/{key}"]
ROLE = ["POST /roleManagement/directory/roleAssignments"]
GRANTS = [
    "POST /servicePrincipals/{id}/appRoleAssignedTo",
    "POST /servicePrincipals/{id}/appRoleAssignments",
    "POST /oauth2PermissionGrants",
]
TOKEN = ["POST /token"]
DELTA = ["GET /users/delta", "GET /groups/delta"]
CALLS = {
    "F1": APPLICATION,
    "F2": PRINCIPAL,
    "F3": PRINCIPAL,
    "F4": GRANTS,
    "F5": ROLE,
    "F6": ["PATCH /applications/{id}"],
    "F7": SECRETS,
    "F8": TOKEN,
    "F9": TOKEN,
    "F10": ["GET /applications/{id}"],
    "F11": TOKEN,
    "F12": [*GRANTS, *ROLE],
    "F13": ["* *"],
    "F14": DELTA,
    "F15": SECRETS[:1],
    "F16": SECRETS[:1],
    "F17": TOKEN,
}
"""Where each fault strikes when the request names no call."""
EFFECTS = ("lost", "drop", "F10", "F11", *discovery_faults.EFFECTS)


@dataclass
class Rule:
    """One injected fault."""

    id: str
    calls: list[re.Pattern[str]]
    wanted: dict[str, Any]
    until: float | None
    pattern: list[str]
    chance: random.Random
    seen: int = 0
    hits: int = 0

    @property
    def fault(self) -> Any:
        return self.wanted.get("fault")

    @property
    def only_continued(self) -> bool:
        return bool(self.wanted.get("continuation")) or (
            self.fault in discovery_faults.CONTINUATIONS
        )

    def view(self) -> dict[str, Any]:
        return {"id": self.id, "hits": self.hits, "seen": self.seen} | self.wanted


@dataclass
class Strike:
    """What a rule does to one call."""

    rule: Rule
    status: int | None = None
    effect: str = ""

    @property
    def refuses(self) -> bool:
        return (not self.effect and self.rule.fault != "F14") or (
            self.effect in discovery_faults.REFUSING
        )


@dataclass
class Faults:
    clock: Clock
    ids: Ids
    rules: dict[str, Rule] = field(default_factory=dict)

    def add(self, wanted: dict[str, Any]) -> Rule:
        wanted = discovery_faults.spelled_out(wanted)
        fault = wanted.get("fault")
        names = wanted.get("call") or CALLS.get(str(fault))
        if names is None or (fault is None and "pattern" not in wanted):
            raise bad_request("A fault needs 'call' and 'fault' (or a 'pattern' of statuses).")
        if isinstance(fault, str) and fault not in CALLS and fault not in EFFECTS:
            raise bad_request(f"Unknown fault '{fault}': F1 to F17, {', '.join(EFFECTS)}.")
        pattern = wanted.get("pattern", [])
        if isinstance(pattern, str):
            pattern = pattern.split(",")
        seconds = wanted.get("seconds")
        rule = Rule(
            id=self.ids.guid(),
            calls=[_call_pattern(name) for name in ([names] if isinstance(names, str) else names)],
            wanted=wanted,
            until=None if seconds is None else self.clock.time() + seconds,
            pattern=[str(int(p)) if isinstance(p, bool) else str(p).strip() for p in pattern],
            chance=random.Random(wanted.get("seed", 0)),  # noqa: S311  # reproducible on purpose
        )
        self.rules[rule.id] = rule
        return rule

    def strike(
        self, method: str, path: str, text: str, *, continued: bool = False
    ) -> Strike | None:
        """The first rule that hits this call; every rule that matches it counts it.

        *continued*: it asks for a further page.
        """
        call = f"{method} {path}"
        first: Strike | None = None
        for rule in list(self.rules.values()):
            if not any(pattern.fullmatch(call) for pattern in rule.calls):
                continue
            if rule.only_continued and not continued:
                continue
            wanted_object = rule.wanted.get("object")
            if wanted_object and wanted_object.lower() not in (path + text).lower():
                continue
            if first is None and (hit := self._hit(rule)) is not None:
                first = hit
        return first

    def _hit(self, rule: Rule) -> Strike | None:
        at, rule.seen = rule.seen, rule.seen + 1
        times = rule.wanted.get("times")
        if times is not None and rule.hits >= times:
            return None
        if rule.until is not None and self.clock.time() > rule.until:
            return None
        status = rule.wanted.get("status")
        if rule.pattern:
            mark = self._mark(rule, at)
            if mark in ("0", "ok"):
                return None
            status = int(mark) if len(mark) == 3 and mark.isdigit() else status
        if rule.chance.random() >= rule.wanted.get("probability", 1.0):
            return None
        rule.hits += 1
        effect = rule.fault if rule.fault in EFFECTS else ""
        return Strike(rule, status, effect)

    @staticmethod
    def _mark(rule: Rule, at: int) -> str:
        """Of the call with this number; behind the pattern's end all is well, unless it goes on."""
        if at < len(rule.pattern) or rule.wanted.get("repeat"):
            return rule.pattern[at % len(rule.pattern)]
        return rule.pattern[-1] if rule.wanted.get("last") else "ok"


def _call_pattern(call: str) -> re.Pattern[str]:
    """Match "POST /applications/{id}/addPassword", one object's own path, "GET *", or "*"."""
    method, _, path = call.strip().partition(" ")
    if not path and method.startswith("/"):
        method, path = "*", method
    if path.endswith("/token"):
        path = "/token"
    verb = r"\w+" if method == "*" else re.escape(method.upper())
    if path in ("", "*"):
        return re.compile(f"{verb} .*")
    plain = plain_path(path.removeprefix("/v1.0"))
    route = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(plain)).replace(r"\*", ".*")
    return re.compile(f"{verb} {route}", re.IGNORECASE)

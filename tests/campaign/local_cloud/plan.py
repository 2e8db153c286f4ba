"""What a seed stands for: who is killed when, and what is asked of each connection."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.end_to_end.local import request

VICTIMS = {
    "host": ((3.0, 20.0), (0.0, 2.0)),
    "servicebus": ((5.0, 25.0), (0.0, 4.0)),
    "azurite": ((6.0, 30.0), (0.0, 4.0)),
}
"""By process: for how many seconds it is up before it is killed, and then down."""

JUMPS = (15.0, 40.0)
"""Seconds between jumps of the clock, each to where operations that are stuck are swept up."""

ACTS = {
    "rotation": 5,
    "rotation_by_queue": 3,
    "emergency": 2,
    "verification": 3,
    "discovery": 2,
    "same_request_again": 2,
    "offboarding": 1,
}
"""What may be asked of a connection, and how often compared with the others."""

PATIENT = 0.8
"""Share of what is asked only when nothing else goes on; the rest is mostly answered 409."""

EMERGENCY = {"emergency": True, "reason": "found in a public repository"}
LEAVING = {"reason": "another product takes over"}


@dataclass(frozen=True)
class Kill:
    """One death of a process: when, counted from its last start, and for how long."""

    after: float
    down: float


@dataclass(frozen=True)
class Act:
    """Something that is asked: after how many seconds, and whether what goes on may end first."""

    what: str
    pause: float
    patient: bool


@dataclass(frozen=True)
class Life:
    """One connection: the request, and what it is put through."""

    body: dict[str, Any]
    risky: bool
    acts: tuple[Act, ...]

    @property
    def name(self) -> str:
        return str(self.body["name"])


@dataclass(frozen=True)
class Plan:
    """Everything that is drawn; longer than any campaign, which ends by the clock."""

    seed: int
    kills: dict[str, tuple[Kill, ...]]
    jumps: tuple[float, ...]
    lives: tuple[Life, ...]

    def told(self, count: int = 4) -> str:
        """The beginning of it, for people."""
        lines = [
            f"  {victim}: "
            + ", ".join(f"+{kill.after:.1f}s for {kill.down:.1f}s" for kill in kills[:count])
            + ", ..."
            for victim, kills in self.kills.items()
        ]
        lines += [
            f"  {life.name}: " + ", ".join(act.what for act in life.acts[: 2 * count]) + ", ..."
            for life in self.lives
        ]
        return "\n".join(lines)


def plan(seed: int, domain: str, length: int = 200) -> Plan:
    """The same for the same seed."""
    random = Random(seed)
    kills = {
        victim: tuple(Kill(random.uniform(*up), random.uniform(*down)) for _ in range(length))
        for victim, (up, down) in VICTIMS.items()
    }
    jumps = tuple(random.uniform(*JUMPS) for _ in range(length))
    lives = tuple(Life(body, risky, _acts(random, length)) for body, risky in _requests(domain))
    return Plan(seed, kills, jumps, lives)


def _acts(random: Random, length: int) -> tuple[Act, ...]:
    drawn = random.choices(list(ACTS), weights=list(ACTS.values()), k=length)
    return tuple(Act(what, random.uniform(0.0, 3.0), random.random() < PATIENT) for what in drawn)


def _requests(domain: str) -> list[tuple[dict[str, Any], bool]]:
    """Products of both risks, with discovery and without, one of them in Azure DevOps."""
    owner = "ana@contoso.example"
    return [
        (request("dvls-one"), True),
        (request("dvls-two"), True),
        (
            {
                "name": "pmp",
                "profile": "password-manager-pro",
                "features": {"sync": True},
                "inputs": {"domain": domain, "groups": "Sales Department"},
                "owner": owner,
            },
            False,
        ),
        (
            {
                "name": "pandium",
                "profile": "pandium",
                "features": {"azure_devops": True},
                "inputs": {"scope": "azure-devops", "devops_org": "contoso"},
                "owner": owner,
            },
            False,
        ),
    ]

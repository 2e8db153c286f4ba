"""Users of the tenant: any number of seeded ones, computed when asked for, plus changes."""

from collections.abc import Iterator, Sequence
from typing import Any

from emulators.graph.lag import Lag, Replicated

BITS = 122
MASK = (1 << BITS) - 1
FIRST = (
    "Ada",
    "Bo",
    "Chen",
    "Dana",
    "Eli",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jun",
    "Kim",
    "Lea",
    "Max",
)
LAST = (
    "Adler",
    "Berg",
    "Costa",
    "Dahl",
    "Egger",
    "Frei",
    "Gross",
    "Huber",
    "Ito",
    "Jensen",
    "Kaya",
)
DEPARTMENTS = ("Finance", "Sales", "Engineering", "Operations", "Legal", "Research", "Support")
TITLES = ("Analyst", "Engineer", "Director", "Clerk", "Architect", "Consultant")
DEFAULTS = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
]
"""What a read of users shows without $select (Graph: list users)."""


class Population(Sequence[str]):
    """Ids of all users in a fixed order; numbers below `seeded` are computed, never stored."""

    def __init__(self, lag: Lag, seeded: int, seed: int, domain: str) -> None:
        self.seeded, self._domain = seeded, domain
        self._factor = (2 * seed + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 & MASK | 1
        self._inverse = pow(self._factor, -1, MASK + 1)
        self._shift = (seed * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & MASK
        self.added: Replicated[dict[str, Any]] = Replicated(lag)
        self._added_order: list[str] = []
        self._changes: dict[str, dict[str, Any]] = {}
        self._removed: set[str] = set()
        self.version = 0
        """Grows with every change of who there is."""

    def id_of(self, number: int) -> str:
        """A guid that hides the number, and from which the number can be had back."""
        mixed = (number * self._factor + self._shift) & MASK
        mixed ^= mixed >> 61
        mixed = mixed * self._factor & MASK
        high, low = mixed >> 62, mixed & ((1 << 62) - 1)
        value = (high >> 12) << 80 | 4 << 76 | (high & 0xFFF) << 64 | 2 << 62 | low
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def number_of(self, identity: str) -> int | None:
        if len(identity) != 36:
            return None
        try:
            value = int(identity.replace("-", ""), 16)
        except ValueError:
            return None
        high = (value >> 80) << 12 | (value >> 64) & 0xFFF
        mixed = (high << 62 | value & ((1 << 62) - 1)) * self._inverse & MASK
        mixed ^= mixed >> 61
        number = (mixed - self._shift) * self._inverse & MASK
        marks = (value >> 76 & 0xF, value >> 62 & 3)  # version and variant of the guid
        return number if number < self.seeded and marks == (4, 2) else None

    def exists(self, identity: str) -> bool:
        if identity in self._removed:
            return False
        return self.number_of(identity) is not None or self.added.truth(identity) is not None

    def removed(self, identity: str) -> bool:
        return identity in self._removed

    def get(self, identity: str) -> dict[str, Any] | None:
        """All properties of a user that reads show, or None."""
        identity = identity.lower()
        if identity in self._removed:
            return None
        number = self.number_of(identity)
        found = self.added.read(identity) if number is None else self._seeded(number, identity)
        if found is not None and identity in self._changes:
            return found | self._changes[identity]
        return found

    def by_name(self, principal_name: str) -> dict[str, Any] | None:
        """Find by userPrincipalName."""
        wanted = principal_name.lower()
        digits = "".join(filter(str.isdigit, wanted.partition("@")[0]))
        candidates = list(self._changes) + list(self._added_order)
        if digits and int(digits) < self.seeded:
            candidates.append(self.id_of(int(digits)))
        for identity in candidates:
            user = self.get(identity)
            if user is not None and str(user["userPrincipalName"]).lower() == wanted:
                return user
        return None

    def add(self, user: dict[str, Any], *, settled: bool = False) -> None:
        self.version += 1
        self._added_order.append(user["id"])
        self.added.add(user["id"], user, settled=settled)

    def change(self, identity: str, values: dict[str, Any]) -> None:
        self._changes.setdefault(identity, {}).update(values)

    def remove(self, identity: str) -> None:
        self.version += 1
        self._removed.add(identity)

    def restore(self, identity: str) -> None:
        self.version += 1
        self._removed.discard(identity)

    def __len__(self) -> int:
        return self.seeded + len(self._added_order)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        return self.id_of(at) if at < self.seeded else self._added_order[at - self.seeded]

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))

    def _seeded(self, number: int, identity: str) -> dict[str, Any]:
        first, last = FIRST[number % 13], LAST[number // 13 % 11]
        guest = number % 20 == 7
        name = f"{first.lower()}.{last.lower()}{number}"
        mail = f"{name}@partner.example" if guest else f"{name}@{self._domain}"
        principal = f"{name}_partner.example#EXT#@{self._domain}" if guest else mail
        synced = number % 3 == 0 and not guest
        values = {
            "id": identity,
            "displayName": f"{first} {last}",
            "givenName": first,
            "surname": last,
            "userPrincipalName": principal,
            "mail": mail,
            "accountEnabled": number % 12 != 5,
            "userType": "Guest" if guest else "Member",
            "jobTitle": TITLES[number % 6],
            "department": DEPARTMENTS[number % 7],
            "employeeId": f"E{number:06d}",
            "onPremisesSyncEnabled": True if synced else None,
            "onPremisesSamAccountName": name[:20] if synced else None,
            "createdDateTime": f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}T08:00:00Z",
        }
        return complete_user(values)


def complete_user(values: dict[str, Any]) -> dict[str, Any]:
    """Fill in what every user has, so that each property reads as null rather than missing."""
    name = str(values.get("userPrincipalName") or "").partition("@")[0]
    return {
        "deletedDateTime": None,
        "accountEnabled": True,
        "assignedLicenses": [],
        "businessPhones": [],
        "companyName": None,
        "department": None,
        "displayName": None,
        "employeeId": None,
        "givenName": None,
        "jobTitle": None,
        "mail": None,
        "mailNickname": name.replace("#EXT#", ""),
        "mobilePhone": None,
        "officeLocation": None,
        "onPremisesImmutableId": None,
        "onPremisesSyncEnabled": None,
        "otherMails": [],
        "preferredLanguage": None,
        "proxyAddresses": [],
        "surname": None,
        "usageLocation": None,
        "userType": "Member",
    } | values

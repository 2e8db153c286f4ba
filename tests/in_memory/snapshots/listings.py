"""Random histories in which users come as the directory's own list writes them."""

import uuid
from typing import Any

import msgspec

from shared.adapters.graph_selection import selection
from shared.model.entities import Findings, Reading
from shared.model.listed import ListedUsers
from shared.model.scan import SourceProgress
from shared.planning.accounts import fact
from tests.in_memory.snapshots.histories import History

PEOPLE = [str(uuid.UUID(int=number * 7 << 80 | number)) for number in range(30)]
SELECTED = ("jobTitle", "employeeOrgData")
READING = Reading(kind="user", attributes=SELECTED, tracked=True)

NAMES = ("Zoë", 'Ann "Bee" B', "Back\\slash", "Ann\nBell", "# EXT #", "")
BRACED = 'Ann "},{"id":"'
"""In a name, a brace makes a page one that is not taken as it came."""


class Listings(History):
    """Users are listed; most runs have no other source that vouches for an account."""

    def next(self) -> Any:
        run = super().next()
        if self.chance.random() < 0.3:
            return run
        kept = tuple(s for s in run.progress.sources if "/" not in s.key)
        keys = {source.key for source in kept}
        run.progress = msgspec.structs.replace(run.progress, sources=kept)
        run.pages = [(key, page) for key, page in run.pages if key in keys]
        return run

    def _source(self, key: str) -> SourceProgress:
        source = super()._source(key)
        listed = key.startswith("user?") and self.chance.random() < 0.7
        return msgspec.structs.replace(source, full=True) if listed else source

    def _page(self, source: SourceProgress) -> Findings:
        if source.voucher == "user":
            people = self._some(PEOPLE, 12)
            if source.full:
                return Findings(rows=selection(READING).decode(self.text(people)).found)
            gone = tuple(self._some(PEOPLE, 2))
            rows = [self._user(id_) for id_ in people if id_ not in gone]
            decoder = selection(READING)
            found = decoder.changed(decoder.decoder.decode(_page(rows)).value)
            return msgspec.structs.replace(found, gone=gone, for_good=gone[:1])
        if source.voucher == "registration":
            return Findings(rows=tuple(fact(id_, mfa="yes") for id_ in self._some(PEOPLE, 12)))
        return super()._page(source)

    def text(self, people: list[str]) -> bytes:
        """Now and then one that is not taken as it came, and one that has somebody twice."""
        again = people[:2] if self.chance.random() < 0.2 else []
        rows = [self._user(id_) for id_ in (*people, *again)]
        odd = self.chance.random()
        if rows and odd < 0.1:
            rows[-1]["displayName"] = BRACED
        elif rows and odd < 0.2:
            rows[0] = dict(reversed(rows[0].items()))
        return _page(rows)

    def _user(self, id_: str) -> dict[str, Any]:
        chance = self.chance
        kind = chance.choice(["Member", "Member", "Guest", None])
        mark = "#EXT#" if chance.random() < 0.3 else ""
        user: dict[str, Any] = {
            "id": id_,
            "userPrincipalName": f"{id_[:8]}{mark}@contoso.com",
            "displayName": chance.choice(NAMES),
            "accountEnabled": chance.choice([True, True, False, None]),
            "userType": kind,
            "mail": None,
            "onPremisesSyncEnabled": chance.choice([True, None]),
        }
        if chance.random() < 0.5:
            user["jobTitle"] = chance.choice(["Pilot", "Cook", None])
        return user


def _page(rows: list[dict[str, Any]]) -> bytes:
    context, link = "https://graph/$metadata#users", "https://graph/users?$skiptoken=}]"
    return msgspec.json.encode({"@odata.context": context, "@odata.nextLink": link, "value": rows})


def pages(found: Any) -> list[ListedUsers]:
    """Those of a run that were taken as they came."""
    return [page.rows for _, page in found.pages if page and isinstance(page.rows, ListedUsers)]

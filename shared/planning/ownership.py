"""Who owns an application and its service principal, and who should.

An owner can add a secret and sign in as the product; without owning it the automation cannot
renew the product's own (Application.ReadWrite.OwnedBy reaches only what it owns).
"""

import msgspec

from shared.model.connection import Value
from shared.model.finding import Item, What

OF_PRINCIPAL = "service principal"
"""Scope of an owner of the service principal, in place of the application."""


class Owners(Value, frozen=True):
    """Object ids of owners as one look shows them."""

    own: str = ""  # the automation's service principal; empty when nothing was read
    wanted: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # people who are to be owners: id and name
    of_application: frozenset[str] = frozenset()
    of_principal: frozenset[str] = frozenset()

    @property
    def own_missing(self) -> bool:
        return bool(self.own) and self.own not in self.of_application

    @property
    def missing(self) -> tuple[str, ...]:
        """People who are to own the application and do not."""
        return tuple(one for one in self.wanted if one not in self.of_application)

    @property
    def extra(self) -> tuple[Item, ...]:
        """Who owns one of them and is neither the automation nor named by the profile."""
        if not self.own:
            return ()
        known = {self.own, *self.wanted}
        return (
            *(owner_item(one) for one in sorted(self.of_application - known)),
            *(owner_item(one, OF_PRINCIPAL) for one in sorted(self.of_principal - known)),
        )

    def name(self, one: str) -> str:
        return self.wanted.get(one, one)


NOT_READ = Owners()


def owner_item(one: str, scope: str = "") -> Item:
    return Item(what=What.OWNER, id=one, scope=scope)

"""Delta links with their ages, and when one is not read on from any more.

A delta link of directory objects is good for seven days (Graph: "Use delta query to track
changes", "Token duration"); nothing in it says how old it is.
"""

from datetime import datetime, timedelta

from shared.model.connection import Value

OLDEST = timedelta(days=6)
"""Age of a link that is not relied upon: a scan that waits for Graph may take a day."""

RECONCILED = timedelta(days=7)
"""Everything is read again so often, whatever the changes say: some of them are never told."""


class Cookie(Value, frozen=True):
    """A delta link, when it was asked for, and when everything was read for the last time."""

    link: str
    made: datetime
    full: datetime
    scope: str  # mark of what was searched then

    def __str__(self) -> str:
        return f"{self.made.isoformat()} {self.full.isoformat()} {self.scope} {self.link}"


def parsed(text: str) -> Cookie | None:
    """None for what is no cookie of ours: then nobody knows how old it is."""
    try:
        made, full, scope, link = text.split(" ", 3)
        return Cookie(
            link=link,
            made=datetime.fromisoformat(made),
            full=datetime.fromisoformat(full),
            scope=scope,
        )
    except ValueError:
        return None


def cookie_of(text: str, scope: str, now: datetime) -> tuple[Cookie | None, str]:
    """From where a reading goes on; otherwise None, and why everything is read."""
    if not text:
        return None, "there is no delta link yet"
    cookie = parsed(text)
    if cookie is None:
        return None, "the age of the delta link is not known"
    if cookie.scope != scope:
        return None, "something else is searched now"
    if now - cookie.made >= OLDEST:
        return None, f"the delta link is {(now - cookie.made).days} days old"
    if now - cookie.full >= RECONCILED:
        return None, f"everything is read again every {RECONCILED.days} days"
    return cookie, ""

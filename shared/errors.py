"""The two outcomes a step may raise; anything else it raises is a bug and is dead-lettered."""

from datetime import timedelta


class StepError(Exception):
    """Base of both outcomes: `code` is the condition's reason, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TryLater(StepError):
    """Not possible yet: run the step again after *after*, for at most *limit* in all.

    The pace setting scales the wait, unless it is *exact*: told by the service, or the rest of
    a time that was scaled before. A step that has *moved*, come further than it was, has not
    waited: what counts towards its limits begins anew.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        after: timedelta = timedelta(seconds=30),
        limit: timedelta = timedelta(minutes=15),
        exact: bool = False,
        moved: bool = False,
    ) -> None:
        super().__init__(code, message)
        self.after = after
        self.limit = limit
        self.exact = exact
        self.moved = moved


class Doubt(TryLater):
    """Something is wrong by one look; it is believed when later looks find the same."""


class NeedsHuman(StepError):
    """Cannot go on by itself: *remedy* says what a person must do."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message)
        self.remedy = remedy


class Conflict(Exception):
    """Somebody else changed the same row first; read again and decide anew."""

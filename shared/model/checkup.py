"""What an app finds when it looks at everything that it needs."""

from datetime import datetime

from shared.model.connection import Value

OK, WARNING, FAILING, UNCHECKED = "ok", "warning", "failing", "unchecked"


class Dependency(Value, frozen=True, omit_defaults=False):
    """One thing that the app needs."""

    name: str
    status: str  # ok | warning | failing | unchecked
    message: str = ""
    remedy: str = ""


class Report(Value, frozen=True, omit_defaults=False):
    """What one app found, under its own identity and with its own settings."""

    app: str  # front | worker; empty where one does it all
    at: datetime
    dependencies: tuple[Dependency, ...]

    @property
    def ok(self) -> bool:
        return not any(found.status == FAILING for found in self.dependencies)

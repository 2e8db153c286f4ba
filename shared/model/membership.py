"""Members of an organisation outside Entra ID."""

from shared.model.connection import Value


class Member(Value, frozen=True):
    """A service principal in an organisation of Azure DevOps."""

    object_id: str  # of the service principal, not of the application
    licence: str  # access level: stakeholder, express (Basic) or advanced
    projects: tuple[str, ...] = ()  # ids of projects that it may read
    id: str = ""  # by which Azure DevOps knows it

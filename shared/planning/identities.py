"""Which application permissions of Microsoft Graph each app's identity holds, and what for.

The one reviewed list: the deployment command grants it, the application and `doctor` compare
their tokens with it, the emulated tenant's identities hold it, and the documentation prints it.
Source: least privileges in Microsoft's permissions reference; a test drives every call and step
under its identity and compares what was used with this (tests/end_to_end/test_identities.py).
"""

from collections.abc import Collection, Mapping

from shared.model.connection import Value


class Right(Value, frozen=True, omit_defaults=False):
    """One application permission, and why the identity holds it."""

    permission: str
    why: str
    needed: str = "always"  # or for what; it can be left out where that is never wanted
    danger: str = ""  # what else whoever holds it could do

    @property
    def optional(self) -> bool:
        return self.needed != "always"


IS_ADMINISTRATOR = "equal to Global Administrator in effect"

FRONT: tuple[Right, ...] = (
    Right(
        permission="Organization.Read.All",
        why="name the tenant and its domains in plans and hand-over sheets",
    ),
    Right(
        permission="Application.Read.All",
        why="look up the APIs that a plan names, and the secrets that an emergency would end",
    ),
    Right(
        permission="Policy.Read.All",
        why="say in plans how long secrets may live, and which Conditional Access policies stop a "
        "product's sign-in",
    ),
    Right(
        permission="GroupMember.Read.All",
        why="list groups to tick, with their size and structure",
        needed="products that import users",
    ),
)
"""Of the front door, which answers HTTP and runs timers. None of them writes."""

WORKER: tuple[Right, ...] = (
    Right(
        permission="Application.ReadWrite.OwnedBy",
        why="make and manage its own applications, service principals and secrets",
    ),
    Right(
        permission="Application.Read.All",
        why="read the APIs whose permissions are granted; granting needs it beside the next one",
    ),
    Right(
        permission="AppRoleAssignment.ReadWrite.All",
        why="grant a product the application permissions of its profile",
        needed="profiles that ask for application permissions",
        danger=IS_ADMINISTRATOR,
    ),
    Right(
        permission="DelegatedPermissionGrant.ReadWrite.All",
        why="grant a product delegated permissions for the whole tenant",
        needed="profiles that ask for delegated permissions",
        danger="can let any application act for any user",
    ),
    Right(
        permission="Directory.Read.All",
        why="read delegated grants back, name objects by their ids, read domains",
    ),
    Right(
        permission="RoleManagement.ReadWrite.Directory",
        why="assign a product its directory role",
        needed="profiles that ask for directory roles",
        danger=IS_ADMINISTRATOR,
    ),
    Right(
        permission="RoleManagement.Read.Directory",
        why="read who holds a directory role",
        needed="discovery by roles, role advice, profiles that ask for directory roles",
    ),
    Right(
        permission="RoleEligibilitySchedule.Read.Directory",
        why="count eligible (not yet active) holders of roles, too",
        needed="discovery by roles and role advice in tenants with Entra ID P2",
    ),
    Right(
        permission="User.Read.All",
        why="read accounts and their changes, and people who are to own an application",
    ),
    Right(
        permission="GroupMember.Read.All",
        why="read groups, their changes, and who is in which group",
        needed="discovery by groups, imports, role advice",
    ),
    Right(
        permission="AdministrativeUnit.Read.All",
        why="name the administrative units that roles are scoped to",
        needed="discovery by roles, discovery limited to units",
    ),
    Right(
        permission="AuditLog.Read.All",
        why="know who has registered MFA, and name who made a change that is found",
        needed="profiles with an MFA rule, drift findings that name their author",
    ),
    Right(
        permission="Policy.Read.All",
        why="know how long secrets may live in the tenant",
        needed="products with a client secret or certificate",
    ),
)
"""Of the worker, which runs every step."""

IDENTITIES: Mapping[str, tuple[Right, ...]] = {"front": FRONT, "worker": WORKER}


def names(app: str) -> tuple[str, ...]:
    """The permissions of one app: `front` or `worker`."""
    return tuple(right.permission for right in IDENTITIES[app])


def missing(app: str, held: Collection[str]) -> tuple[Right, ...]:
    return tuple(right for right in IDENTITIES[app] if right.permission not in held)


def superfluous(app: str, held: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(held) - set(names(app))))

"""Orders about imported users: one way, for HTTP and queue alike."""

from collections.abc import Iterator, Sequence

from shared import onboarding
from shared.context import Context
from shared.model.connection import Connection, Operation
from shared.model.imports import ImportRequest
from shared.model.profile import ImportPolicy, Profile
from shared.onboarding import Rejected
from shared.planning.import_people import ROLE_UNKNOWN, unknown_roles
from shared.planning.import_requests import completed
from shared.profile import catalogue
from shared.requests import Problem
from shared.requests.problem import one_of


class Unfit(Exception):
    """An order that the connection's product does not take."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].code)
        self.problems = list(problems)


async def start_import(
    ctx: Context, name: str, wish: ImportRequest, operation: str, *, asked_by: str
) -> Operation:
    """Start an import; raises `Unfit` or `Rejected`. Safe to repeat with the same operation id."""
    connection = await onboarding.find(ctx, name)
    profile, policy = product(connection)
    problems = list(_problems(completed(wish, connection), profile, policy))
    if problems:
        raise Unfit(problems)
    await ctx.import_store.keep(name, operation, wish)
    return await onboarding.run(ctx, name, "import", operation, asked_by=asked_by)


def product(connection: Connection) -> tuple[Profile, ImportPolicy]:
    """The connection's profile and how it imports; raises `Rejected` when it does not."""
    spec = connection.spec
    profile = catalogue().get(spec.profile)
    if profile is None or profile.import_ is None:
        raise Rejected(
            "connection",
            "NOT_OFFERED",
            f"{spec.name} is no connection of a product that imports users",
            "see GET /api/profiles for products whose profile has an import",
        )
    return profile, profile.import_


def role_problems(policy: ImportPolicy, roles: dict[str, str]) -> list[Problem]:
    return [
        Problem(
            field=f"roles.{name}",
            code=ROLE_UNKNOWN,
            message=f"the product has no role {roles[name]}",
            hint=one_of(policy.roles),
        )
        for name in unknown_roles(policy, roles)
    ]


def _problems(wish: ImportRequest, profile: Profile, policy: ImportPolicy) -> Iterator[Problem]:
    yield from role_problems(policy, wish.roles)
    for name in wish.options:
        if name not in policy.on_import:
            yield _problem(
                f"options.{name}", "FIELD_UNKNOWN", "is no option", one_of(policy.on_import)
            )
    for name, need in policy.on_import.items():
        if need == "required" and name not in wish.options:
            yield _problem(f"options.{name}", "INPUT_MISSING", "is missing", "the product needs it")
    modes = profile.discovery.modes if profile.discovery else ()
    if wish.everyone and "all" not in modes:
        hint = "name users or groups, or select discovered accounts"
        yield _problem("everyone", "NOT_OFFERED", "is not offered for this product", hint)
    if not wish.names_anybody():
        hint = "name users or groups, or tick groups that POST groups:fetch lists"
        yield _problem("users", "INPUT_MISSING", "and groups name nobody to import", hint)


def _problem(field: str, code: str, what: str, hint: str) -> Problem:
    return Problem(field=field, code=code, message=f"{field} {what}", hint=hint)

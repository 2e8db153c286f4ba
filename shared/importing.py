"""Orders about imported users: one way, for HTTP and queue alike."""

from collections.abc import Iterator, Sequence

from shared import onboarding
from shared.context import Context
from shared.errors import TryLater
from shared.model.connection import Connection, Operation
from shared.model.imports import ImportedUser, ImportRequest, Warned
from shared.model.profile import ImportPolicy, Profile
from shared.onboarding import Rejected
from shared.planning.import_names import USER_NOT_FOUND
from shared.planning.import_people import (
    NO_ADMINISTRATOR,
    ROLE_UNKNOWN,
    administrators,
    no_administrator,
    unknown_roles,
    with_roles,
)
from shared.planning.import_requests import completed
from shared.profile import catalogue
from shared.requests import Problem
from shared.requests.problem import one_of

ATTEMPTS = 3
"""Of a change, while others change the same users."""


class Unfit(Exception):
    """An order that the connection's product does not take."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].code)
        self.problems = list(problems)


async def start_import(
    ctx: Context,
    name: str,
    wish: ImportRequest,
    operation: str,
    *,
    asked_by: str,
    principal: str = "",
) -> Operation:
    """Start an import; raises `Unfit` or `Rejected`. Safe to repeat with the same operation id."""
    connection = await onboarding.find(ctx, name)
    profile, policy = product(connection)
    problems = list(_problems(completed(wish, connection), profile, policy))
    if problems:
        raise Unfit(problems)
    await ctx.import_store.keep(name, operation, wish)
    return await onboarding.run(
        ctx, name, "import", operation, asked_by=asked_by, principal=principal
    )


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


async def change_roles(
    ctx: Context, name: str, roles: dict[str, str], *, by: str, principal: str
) -> tuple[tuple[ImportedUser, ...], tuple[Warned, ...]]:
    """Set users' roles at once, all of them or none; raises `Unfit` or `Rejected`."""
    _, policy = product(await onboarding.find(ctx, name))
    problems = role_problems(policy, roles)
    if problems:
        raise Unfit(problems)
    for attempt in range(ATTEMPTS):
        known, tag = await ctx.import_store.load(name)
        changed, strangers = with_roles(known, roles)
        if strangers:
            raise Unfit([_stranger(stranger) for stranger in strangers])
        held = administrators(policy, known.users)
        if held and not administrators(policy, changed.users):
            raise Rejected(
                "roles",
                NO_ADMINISTRATOR,
                f"{', '.join(held)} would be the last {policy.require_at_least_one} to lose it",
                "give another user that role first, or in the same request",
            )
        try:
            await ctx.import_store.save(name, changed, tag)
        except TryLater as reason:
            if reason.code != "CONFIG_CONFLICT" or attempt == ATTEMPTS - 1:
                raise
            continue
        break
    data = {"roles": roles, "by": by, "principal": principal}
    await ctx.ledger.record(name, ctx.clock.now(), "roles.changed", data)
    before = {user.id: user for user in known.users}
    touched = tuple(user for user in changed.users if before[user.id] is not user)
    return touched, no_administrator(policy, administrators(policy, changed.users))


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


def _stranger(name: str) -> Problem:
    return Problem(
        field=f"roles.{name}",
        code=f"{USER_NOT_FOUND}:{name}",
        message=f"no imported user is called {name}",
        hint="import the user first; names are user principal names or ids",
    )


def _problem(field: str, code: str, what: str, hint: str) -> Problem:
    return Problem(field=field, code=code, message=f"{field} {what}", hint=hint)

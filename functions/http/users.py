"""A product's imported users, their roles, and the switch of its sign-in to the tenant's."""

from urllib.parse import urlencode

import azure.functions as func
import msgspec

from functions.http import answers, asking, forms, rows, views
from functions.http.call import Connect
from functions.http.connections import find
from shared import importing, signing_in
from shared.model.connection import Value
from shared.model.imports import ImportedUser, Warned
from shared.model.schedule import Login
from shared.requests import check_acknowledged, check_login, check_roles


class UserPage(Value, frozen=True, omit_defaults=False):
    """Some of the product's users by name; `next` is the URL of the following page."""

    connection: str
    users: tuple[ImportedUser, ...]
    next: str | None


class RolesView(Value, frozen=True, omit_defaults=False):
    """The users whose roles were set, and what that leaves to do."""

    connection: str
    users: tuple[ImportedUser, ...]
    warnings: tuple[Warned, ...]


class LoginView(Value, frozen=True, omit_defaults=False):
    """Whether people sign in to the product with the tenant's passwords, and what stops some."""

    connection: str
    login: Login
    warnings: tuple[Warned, ...]


class PreconditionView(Value, frozen=True, omit_defaults=False):
    """A precondition that somebody says holds."""

    connection: str
    precondition: str
    about: str
    by: str


async def list_users(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    given = asking.query(req, ("limit", "after", "format", "state", "role"))
    form = asking.form(req, forms.ROWS)
    limit = asking.count(given, "limit", default=rows.PAGE[form], most=rows.LONGEST[form])
    ctx = await connect()
    _, policy = importing.product(await find(ctx, name))
    store, _ = await ctx.import_store.load(name)
    after = given.get("after", "")
    reached = next((n + 1 for n, user in enumerate(store.users) if user.id == after), 0)
    rest = [
        user
        for user in store.users[reached:]
        if given.get("state", user.state) == user.state
        and given.get("role", user.role) == user.role
    ]
    page, following = rest[:limit], None
    if len(rest) > limit:
        kept = {key: given[key] for key in ("format", "state", "role") if key in given}
        query = urlencode({**kept, "limit": limit, "after": page[-1].id})
        following = f"{views.url(name)}/users?{query}"
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form == "csv":
        taken = [u for u in page if u.state == "imported"] if policy.columns else page
        columns = policy.columns or ImportedUser.__struct_fields__
        content = rows.table(columns, map(msgspec.structs.asdict, taken))
        return answers.text(content, forms.ROWS[form], headers)
    if form == "ndjson":
        return answers.text(rows.lines(page), forms.ROWS[form], headers)
    shown = UserPage(connection=name, users=tuple(page), next=following)
    return answers.ok(shown, headers=headers)


async def change_roles(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    roles = asking.checked(check_roles(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    await find(ctx, name)
    try:
        users, warnings = await importing.change_roles(
            ctx, name, roles, by=caller.name, principal=caller.id
        )
    except importing.Unfit as unfit:
        raise answers.bad_input(unfit.problems) from unfit
    return answers.ok(RolesView(connection=name, users=users, warnings=warnings))


async def switch_login(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name = asking.name(req)
    enabled = asking.checked(check_login(asking.body(req)))
    caller = asking.who(req)
    ctx = await connect()
    await find(ctx, name)
    login, warnings = await signing_in.switch(
        ctx, name, enabled=enabled, by=caller.name, principal=caller.id
    )
    return answers.ok(LoginView(connection=name, login=login, warnings=warnings))


async def acknowledge_precondition(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    name, asked = asking.name(req), req.route_params.get("precondition") or ""
    given = asking.checked(check_acknowledged(asking.body(req)))
    ctx = await connect()
    await find(ctx, name)
    caller = asking.who(req)
    held = await signing_in.acknowledge(
        ctx, name, asked, given, asked_by=caller.name, principal=caller.id
    )
    by = given.by or caller.name
    shown = PreconditionView(connection=name, precondition=held.id, about=held.about, by=by)
    return answers.ok(shown)

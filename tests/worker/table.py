"""Minimal apps that break one rule each, with what Microsoft's worker library says."""

from dataclasses import dataclass
from textwrap import dedent

HEAD = """
import functools, typing
import azure.functions as func
app = func.FunctionApp()
"""
QUEUE = '@app.service_bus_queue_trigger(arg_name="msg", queue_name="q", connection="ServiceBus")\n'


@dataclass(frozen=True)
class Row:
    """One app; *native* is None where the library indexes it, although the host does not."""

    id: str
    code: str
    native: str | None
    ours: str
    head: str = HEAD

    @property
    def source(self) -> str:
        return self.head + dedent(self.code)


def queue(signature: str, decorators: str = "") -> str:
    return f"{QUEUE}{decorators}async def f({signature}):\n    pass\n"


def blueprints(names: str) -> str:
    return f"""
def make():
    bp = func.Blueprint()
    @bp.function_name(name="same")
    @bp.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    async def handle(timer: func.TimerRequest) -> None:
        pass
    return bp
{names}
"""


OUT = '@app.queue_output(arg_name="out", queue_name="o", connection="C")\n'
NON_TYPE = "has invalid non-type annotation"
UNDECLARED = "declared in Python but not in the function definition"

BAD = (
    Row("builtin-list", queue("msg: list[func.ServiceBusMessage]"), NON_TYPE, NON_TYPE),
    Row("optional", queue('msg: "func.ServiceBusMessage | None"'), NON_TYPE, NON_TYPE),
    Row(
        "optional-return",
        "@app.route()\n"
        'async def f(req: func.HttpRequest) -> "func.HttpResponse | None":\n    pass\n',
        "has invalid non-type return annotation",
        "has invalid non-type return annotation",
    ),
    Row(
        "type-checking",
        "if typing.TYPE_CHECKING:\n    from azure.functions import Context as C\n"
        + queue('msg: func.ServiceBusMessage, context: "C"'),
        "NameError",
        "annotation is not defined at run time",
    ),
    Row("default", queue("msg: func.ServiceBusMessage, clock=None"), UNDECLARED, UNDECLARED),
    Row(
        "context-name",
        queue("msg: func.ServiceBusMessage, ctx: func.Context"),
        UNDECLARED,
        UNDECLARED,
    ),
    Row("argument-name", queue("message: func.ServiceBusMessage"), UNDECLARED, UNDECLARED),
    Row(
        "request-name",
        "@app.route()\nasync def f(request: func.HttpRequest) -> func.HttpResponse:\n    pass\n",
        UNDECLARED,
        UNDECLARED,
    ),
    Row(
        "out-message",
        QUEUE
        + '@app.service_bus_queue_output(arg_name="out", queue_name="o", connection="C")\n'
        + "async def f(msg: func.ServiceBusMessage, out: func.Out[func.ServiceBusMessage]):\n"
        + "    pass\n",
        "not match the",
        "does not match its annotation",
    ),
    Row(
        "out-list",
        QUEUE
        + '@app.service_bus_queue_output(arg_name="out", queue_name="o", connection="C")\n'
        + "async def f(msg: func.ServiceBusMessage, out: func.Out[typing.List[str]]):\n"
        + "    pass\n",
        "issubclass() arg 1 must be a class",
        "does not match its annotation",
    ),
    Row("wrong-type", queue("msg: func.TimerRequest"), "not match the", "does not match"),
    Row(
        "two-names",
        queue("msg: func.ServiceBusMessage") + "application = app\n",
        "More than one FunctionApp",
        "More than one FunctionApp",
    ),
    Row(
        "same-name",
        blueprints("app.register_functions(make())\napp.register_functions(make())"),
        "does not have a unique function name",
        "does not have a unique function name",
    ),
    Row(
        "no-trigger",
        '@app.function_name(name="f")\nasync def f():\n    pass\n',
        "does not have a trigger",
        "does not have a trigger",
    ),
    Row(
        "no-app",
        blueprints("bp = make()"),
        "Could not find top level function app instances",
        "Could not find top level function app instances",
        head=HEAD.replace("app = func.FunctionApp()\n", ""),
    ),
    Row(
        "missing-module", "import no_such_module_here\n", "Cannot find module", "Cannot find module"
    ),
    Row(
        "no-wraps",
        "def plain(f):\n    async def inner(*a, **k):\n        return await f(*a, **k)\n"
        "    return inner\n" + queue("msg: func.ServiceBusMessage", decorators="@plain\n"),
        UNDECLARED,
        UNDECLARED,
    ),
    Row("empty-app", "", None, "No job functions found"),
    Row("unregistered-only", blueprints("bp = make()"), None, "No job functions found"),
)
"""Apps that show no function at all in Azure."""

HOST_ONLY = (
    Row(
        "function-name",
        '@app.function_name(name="9lives")\n' + queue("msg: func.ServiceBusMessage"),
        None,
        "'9lives' is not a valid function name",
    ),
    Row(
        "name-host",
        '@app.function_name(name="Host")\n' + queue("msg: func.ServiceBusMessage"),
        None,
        "'Host' is not a valid function name",
    ),
    Row(
        "binding-name",
        QUEUE.replace('"msg"', '"the_message"')
        + "async def f(the_message: func.ServiceBusMessage):\n    pass\n",
        None,
        "'the_message' is not a valid binding name",
    ),
    Row(
        "one-unregistered",
        queue("msg: func.ServiceBusMessage") + blueprints("bp = make()"),
        None,
        "Blueprint bp of function_app is declared but never registered",
    ),
    Row(
        "retry",
        '@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")\n'
        + queue("msg: func.ServiceBusMessage"),
        None,
        "a retry policy works on timers only",
    ),
    Row(
        "batch",
        QUEUE.replace('connection="', 'cardinality="many", connection="')
        + "async def f(msg: typing.List[func.ServiceBusMessage]):\n    pass\n",
        None,
        "cardinality many is not served",
    ),
    Row(
        "output",
        QUEUE + OUT + "async def f(msg: func.ServiceBusMessage, out: func.Out[str]):\n    pass\n",
        None,
        "bindings of type queue are not served",
    ),
)
"""Apps the library indexes, although the host drops a function or this host does not serve it."""

GOOD = (
    Row("plain", queue("msg: func.ServiceBusMessage, context: func.Context"), None, ""),
    Row("unannotated", queue("msg"), None, ""),
    Row("bytes", queue("msg: bytes"), None, ""),
    Row("registered", blueprints("bp = make()\napp.register_functions(bp)"), None, ""),
    Row(
        "wraps",
        "def plain(f):\n    @functools.wraps(f)\n    async def inner(*a, **k):\n"
        "        return await f(*a, **k)\n    return inner\n"
        + queue("msg: func.ServiceBusMessage", decorators="@plain\n"),
        None,
        "",
    ),
    Row(
        "future-annotations",
        queue("msg: func.ServiceBusMessage"),
        None,
        "",
        head="from __future__ import annotations\n" + HEAD,
    ),
)

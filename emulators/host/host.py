"""The host: all listeners of one app in one event loop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from azure.functions.decorators.function_app import FunctionRegister
from azure.functions.meta import Datum

from emulators.clock import Clock
from emulators.host import app_index, host_json, keys
from emulators.host.admin import Admin
from emulators.host.authentication import Authentication
from emulators.host.context import Call
from emulators.host.errors import HostStartError
from emulators.host.function import HTTP, SERVICE_BUS, TIMER, Function
from emulators.host.host_json import HostOptions
from emulators.host.http_server import BODY_LIMIT, HttpFunctions
from emulators.host.invoke import Converters, Dispatcher
from emulators.host.keys import Keys
from emulators.host.listener import Listener, Runner, end
from emulators.host.metadata import datum, trigger
from emulators.host.ncrontab import Schedule, ScheduleError
from emulators.host.schedule_monitor import Monitor, open_monitor
from emulators.host.settings import Settings, check
from emulators.host.timers import Timer, TimerOptions, payload, run_with_retry
from emulators.host.watchdog import Watchdog

log = logging.getLogger("host")

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class App:
    """An indexed app with the options of its host.json."""

    functions: Sequence[Function]
    options: HostOptions
    folder: str = ""


@dataclass
class Host:
    """Resolves every binding when it is made, so that a missing setting stops the start."""

    app: App
    settings: Settings
    dispatcher: Dispatcher
    only: Collection[str] | None = None
    clock: Clock = field(default_factory=Clock)
    state: Path | None = None
    on_timeout: Callable[[], None] | None = None
    authentication: Authentication | None = None
    port: int = 0

    def __post_init__(self) -> None:
        check(self.settings)
        self.keys: Keys = keys.load(self.settings)
        names = {f.name for f in self.app.functions if self.settings.disabled(f.name)}
        self._disabled = frozenset(names)
        self.watchdog = Watchdog(self.app.options.function_timeout, self.on_timeout)
        self._runner = Runner(self.dispatcher, self.watchdog)
        self._background: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[AsyncExitStack], Listener]] = []
        broken = [text for each in self._mine if (text := self._prepare(each))]
        if broken:
            raise HostStartError("; ".join(broken))

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    @property
    def _mine(self) -> list[Function]:
        """Functions this process listens for."""
        return [
            f
            for f in self.app.functions
            if f.name not in self._disabled and (self.only is None or f.name in self.only)
        ]

    def _prepare(self, function: Function) -> str:
        """Resolve one trigger; answer what is wrong with it."""
        try:
            if function.kind == TIMER:
                self._listeners.append(self._timer(function))
            elif function.kind == SERVICE_BUS:
                self._listeners.append(self._service_bus(function))
        except (HostStartError, ScheduleError) as error:
            return f"function {function.name}: {error}"
        return ""

    def _timer(self, function: Function) -> Callable[[AsyncExitStack], Listener]:
        options = TimerOptions(
            schedule=Schedule(self.settings.resolve(str(function.trigger["schedule"]))),
            run_on_startup=bool(function.trigger.get("runOnStartup")),
            use_monitor=function.trigger.get("useMonitor") is not False,
        )

        def make(stack: AsyncExitStack) -> Listener:
            monitor = self._monitor(stack)
            return Timer(function, options, self._runner, monitor, self.clock.now)

        return make

    def _monitor(self, stack: AsyncExitStack) -> Monitor:
        monitor = open_monitor(self.settings, self.app.folder, self.state)
        stack.push_async_callback(monitor.close)
        return monitor

    def _service_bus(self, function: Function) -> Callable[[AsyncExitStack], Listener]:
        # Imported only where needed: the SDK costs half a second of start.
        from emulators.host import service_bus, sessions
        from emulators.host.settlement import Delivery

        source = service_bus.Source.of(function, self.settings)
        options = self.app.options.service_bus
        delivery = Delivery(function, self._runner, options, source.sessions)
        kind = sessions.SessionListener if source.sessions else service_bus.QueueListener

        def make(stack: AsyncExitStack) -> Listener:
            poll = sessions.POLL if source.sessions else None
            client = service_bus.open_client(source.connection, poll)
            stack.push_async_callback(client.close)
            return kind(source, delivery, lambda: client)

        return make

    async def start_by_hand(self, function: Function, given: str) -> None:
        """Run a timer or queue function now, whatever its schedule or queue says."""
        if function.kind == TIMER:
            call = Call(data=payload(None, past_due=False))
        else:
            empty = {name: datum({}) for name in ("ApplicationProperties", "UserProperties")}
            kind = function.trigger.get("dataType")
            data, values = trigger(
                given.encode(), kind, empty | {"DeliveryCount": Datum("1", "json")}
            )
            call = Call(data=data, metadata=values)

        async def run() -> None:
            await run_with_retry(self._runner, function, call)

        task = asyncio.create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Host"]:
        """Serve HTTP and listen until the block ends; what runs then is cut off, unsettled."""
        async with AsyncExitStack() as stack:
            self.watchdog.start()
            stack.callback(self.watchdog.stop)
            await self._serve_http(stack, port)
            tasks = [asyncio.create_task(make(stack).run()) for make in self._listeners]
            for task in tasks:
                task.add_done_callback(_complain)
            try:
                yield self
            finally:
                await end(*tasks, *self._background)

    async def _serve_http(self, stack: AsyncExitStack, port: int) -> None:
        limit = int(self.settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or BODY_LIMIT)
        http = HttpFunctions(
            [f for f in self._mine if f.kind == HTTP],
            self.app.options.route_prefix,
            self.keys,
            self._runner,
            limit,
            self.authentication,
        )
        site = web.Application(client_max_size=limit + 1)
        site.on_response_prepare.append(_with(self.app.options.custom_headers))
        by_name = {function.name: function for function in self.app.functions}
        Admin(by_name, self._disabled, self.keys, self.start_by_hand).add_routes(site.router)
        site.router.add_route("*", "/{path:.*}", http.handle)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, ADDRESS, port).start()
        self.port = int(runner.addresses[0][1])


def _with(
    headers: Mapping[str, str],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds the headers of host.json to every answer that does not have them from its function."""

    async def add(_request: web.Request, answer: web.StreamResponse) -> None:
        for name, value in headers.items():
            answer.headers.setdefault(name, value)

    return add


def _complain(task: asyncio.Task[None]) -> None:
    """A listener never ends by itself; one that does is a defect of the host."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a listener ended", exc_info=task.exception())


def _indexed(app: Path | str | FunctionRegister, document: Mapping[str, object]) -> App:
    if isinstance(app, FunctionRegister):
        return App(app_index.index_app(app), host_json.parse(document))
    folder = Path(app).resolve()
    return App(app_index.index(folder), host_json.read(folder), str(folder))


@asynccontextmanager
async def serving(
    app: Path | str | FunctionRegister,
    settings: Mapping[str, str],
    port: int = 0,
    *,
    host_json_document: Mapping[str, object] | None = None,
    dispatcher: Dispatcher | None = None,
    clock: Clock | None = None,
    state: Path | None = None,
) -> AsyncIterator[Host]:
    """Run an app inside this process: a folder, or an app object that was never indexed."""
    indexed = _indexed(app, host_json_document or {"version": "2.0"})
    host = Host(
        indexed, Settings(settings), dispatcher or Converters(), clock=clock or Clock(), state=state
    )
    async with host.running(port):
        yield host

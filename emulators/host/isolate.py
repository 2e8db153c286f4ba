"""One process for each scale group, as on Flex Consumption, behind a front process.

All HTTP functions form one group; each timer and each Service Bus function is a group of its own. A
worker that dies (also by a function timeout) is started again.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from emulators.host import keys
from emulators.host.errors import HostStartError
from emulators.host.function import HTTP
from emulators.host.listener import end

log = logging.getLogger("host.isolate")

ADDRESS = "127.0.0.1"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-encoding"}
BODY_LIMIT = 104_857_600


@dataclass
class Worker:
    """One group: its functions, and the process that runs them at the moment."""

    functions: list[str]
    command: list[str]
    process: Process | None = None
    port: int = 0

    async def start(self, environment: dict[str, str]) -> None:
        """Start the process and wait for its ready line."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=PIPE, stdout=PIPE, env=environment
        )
        line = await self.process.stdout.readline() if self.process.stdout else b""
        if not line:
            status = await self.process.wait()
            raise HostStartError(f"worker of {', '.join(self.functions)} ended with {status}")
        self.port = int(json.loads(line)["port"])

    async def wait(self) -> int | None:
        """Exit status of the process that runs now."""
        return await self.process.wait() if self.process else None

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


class Front:
    """Supervises the workers and forwards HTTP to them."""

    def __init__(self, given: argparse.Namespace, arguments: list[str]) -> None:
        self._given = given
        self._base = [sys.executable, "-m", "emulators.host", *_for_workers(arguments)]
        self.keys = keys.load(os.environ)
        self._environment = os.environ | {
            keys.FUNCTION_KEY: self.keys.function,
            keys.MASTER_KEY: self.keys.master,
        }
        self._workers: list[Worker] = []
        self._by_function: dict[str, Worker] = {}
        self.port = 0

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """Start all workers, then the front; end them all with the block."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(
                aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
            )
            for group in _groups(await self._list(), together=not self._given.isolate):
                worker = Worker(group, [*self._base, "--only", ",".join(group)])
                self._workers.append(worker)
                self._by_function |= dict.fromkeys(map(str.lower, group), worker)
                stack.push_async_callback(worker.stop)
                await worker.start(self._environment)
            watchers = [asyncio.create_task(self._watch(each)) for each in self._workers]
            stack.push_async_callback(end, *watchers)
            await self._serve(stack, session, port)
            yield

    async def _list(self) -> list[dict[str, str]]:
        process = await asyncio.create_subprocess_exec(
            *self._base, "--list", stdin=DEVNULL, stdout=PIPE, env=self._environment
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise HostStartError("the app cannot be indexed")
        found: list[dict[str, str]] = json.loads(output)
        return found

    async def _watch(self, worker: Worker) -> None:
        """Start the worker again whenever it ends."""
        pause = 0.1
        while True:
            status = await worker.wait()
            log.warning("worker of %s ended with %s", ", ".join(worker.functions), status)
            await asyncio.sleep(pause)
            try:
                await worker.start(self._environment)
                pause = 0.1
            except HostStartError as error:
                log.error("%s", error)  # noqa: TRY400 - the text says it all
                pause = min(pause * 2, 10.0)

    async def _serve(
        self, stack: AsyncExitStack, session: aiohttp.ClientSession, port: int
    ) -> None:
        site = web.Application(client_max_size=BODY_LIMIT + 1)

        async def forward(request: web.Request) -> web.StreamResponse:
            return await _forward(session, self._worker_of(request), request)

        site.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, ADDRESS, port).start()
        self.port = int(runner.addresses[0][1])

    def _worker_of(self, request: web.Request) -> Worker:
        """Calls of the admin API go to the function's own process, all others to the HTTP one."""
        parts = request.path.strip("/").lower().split("/")
        if len(parts) >= 3 and parts[:2] == ["admin", "functions"]:
            return self._by_function.get(parts[2], self._workers[0])
        return self._workers[0]


def _for_workers(arguments: list[str]) -> list[str]:
    """The front's own arguments without those that are not for workers."""
    kept, skip = [], False
    for argument in arguments:
        name = argument.partition("=")[0]
        if skip:
            skip = False
        elif name in {"--port", "--ready-file"}:
            skip = "=" not in argument
        elif name not in {"--isolate", "--supervise"}:
            kept.append(argument)
    return [*kept, "--port", "0", "--follow-stdin"]


def _groups(functions: list[dict[str, str]], *, together: bool) -> list[list[str]]:
    """Names in each process; the first group answers HTTP."""
    if together:
        return [[each["name"] for each in functions]]
    http = [each["name"] for each in functions if each["kind"] == HTTP]
    alone = [[each["name"]] for each in functions if each["kind"] != HTTP]
    return [http, *alone] if http else alone


async def _forward(
    session: aiohttp.ClientSession, worker: Worker, request: web.Request
) -> web.StreamResponse:
    url = f"http://{ADDRESS}:{worker.port}{request.raw_path}"
    headers = [(k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP]
    body = await request.read() if request.content_length else None
    try:
        async with session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            content = await answer.read()
            response = web.Response(status=answer.status, body=content)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP | {"content-length", "content-type"}:
                    response.headers.add(name, value)
            if kind := answer.headers.get("content-type"):
                response.headers["content-type"] = kind
            return response
    except aiohttp.ClientError as error:
        log.warning("worker does not answer: %s", error)
        return web.Response(status=503)

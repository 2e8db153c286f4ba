"""HTTP triggers through a running host, on both dispatch cores."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators.host.process import CORES, Running, require, running, until, write_app

APP = """
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
log = logging.getLogger("sample")

def described(req):
    return func.HttpResponse(json.dumps({
        "method": req.method, "url": req.url, "headers": dict(req.headers),
        "query": dict(req.params), "params": dict(req.route_params),
        "body": req.get_body().decode()}), mimetype="application/json")

@app.route(route="items/{name}/{id:int?}", methods=["GET", "POST"])
async def items(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    log.info("asked", extra={"invocation_in_context": context.invocation_id})
    return described(req)

@app.route(route="items/special", methods=["GET"])
def special(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("special")

@app.route(route="files/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
async def files(req: func.HttpRequest) -> func.HttpResponse:
    return described(req)

@app.route(route="admins", auth_level=func.AuthLevel.ADMIN)
async def admins(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)

@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse(b"\\x00\\x01", status_code=201, headers={"X-A": "1"},
                               mimetype="application/octet-stream")
    answer.headers.add("Set-Cookie", "a=1; Path=/")
    return answer

@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return None

@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("not for the caller")

@app.route(auth_level=func.AuthLevel.ANONYMOUS)
async def asleep(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("disabled functions do not answer")
"""


@pytest.fixture(scope="module", params=CORES)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    require(request.param)
    app = write_app(tmp_path_factory.mktemp("app"), APP)
    settings = {
        "FUNCTIONS_HOST_FUNCTION_KEY": "the-function-key",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000",
        "AzureWebJobs.asleep.Disabled": "true",
    }
    with running(app, core=request.param, settings=settings) as host:
        yield host


def key(host: Running) -> dict[str, str]:
    return {"x-functions-key": host.function_key}


def test_request_as_the_function_sees_it(host: Running) -> None:
    seen = host.call(
        "POST",
        "/api/items/a%20b/7?q=1&empty=&q=2",
        headers={**key(host), "X-Mixed-Case": "V"},
        content=b"hello",
    ).json()
    assert seen["method"] == "POST"
    assert seen["url"].startswith(host.url + "/api/items/")
    assert seen["headers"]["x-mixed-case"] == "V"
    assert seen["query"] == {"q": "1,2"}
    assert seen["params"] == {"name": "a b", "id": "7"}
    assert seen["body"] == "hello"


def test_optional_parameter_and_constraint(host: Running) -> None:
    assert host.call("GET", "/api/items/a", headers=key(host)).json()["params"] == {"name": "a"}
    assert host.call("GET", "/api/items/a/x", headers=key(host)).status_code == 404


def test_literal_goes_before_parameter(host: Running) -> None:
    assert host.call("GET", "/API/Items/Special", headers=key(host)).text == "special"
    assert host.call("POST", "/api/items/special", headers=key(host)).json()["params"] == {
        "name": "special"
    }


def test_catch_all(host: Running) -> None:
    assert host.call("PUT", "/api/files/a/b/c").json()["params"] == {"rest": "a/b/c"}
    assert host.call("GET", "/api/files").json()["params"] == {}


@pytest.mark.parametrize("path", ["/", "/api", "/api/unknown", "/items/a", "/api/asleep"])
def test_unknown_and_disabled_are_not_found(host: Running, path: str) -> None:
    assert host.call("GET", path, headers=key(host)).status_code == 404


def test_wrong_method_is_not_found(host: Running) -> None:
    assert host.call("DELETE", "/api/items/a", headers=key(host)).status_code == 404


def test_keys(host: Running) -> None:
    refused = host.call("GET", "/api/items/a")
    assert (refused.status_code, refused.content) == (401, b"")
    assert host.function_key == "the-function-key"
    assert host.call("GET", "/api/items/a?code=the-function-key").status_code == 200
    assert host.admin("GET", "/api/items/a").status_code == 200
    wrong = {"x-functions-key": "wrong"}
    assert host.call("GET", "/api/items/a?code=the-function-key", headers=wrong).status_code == 401
    assert host.call("GET", "/api/admins", headers=key(host)).status_code == 401
    assert host.admin("GET", "/api/admins").status_code == 204


def test_chunked_body_arrives_empty(host: Running) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"hello"

    seen = host.call("POST", "/api/items/a", headers=key(host), content=chunks()).json()
    assert seen["headers"]["transfer-encoding"] == "chunked"
    assert seen["body"] == ""


def test_too_large_body_is_refused(host: Running) -> None:
    fits = host.call("POST", "/api/items/a", headers=key(host), content=b"x" * 1000)
    assert len(fits.json()["body"]) == 1000
    large = host.call("POST", "/api/items/a", headers=key(host), content=b"x" * 1001)
    assert large.status_code == 413


def test_response(host: Running) -> None:
    answer = host.call("GET", "/api/cookies")
    assert answer.status_code == 201
    assert answer.content == b"\x00\x01"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-a"] == "1"
    assert answer.cookies["a"] == "1"


@pytest.mark.parametrize("name", ["nothing", "broken"])
def test_failure_is_500_without_body(host: Running, name: str) -> None:
    answer = host.call("GET", f"/api/{name}")
    assert (answer.status_code, answer.content) == (500, b"")


def test_failure_is_logged_with_its_invocation(host: Running) -> None:
    host.call("GET", "/api/broken")
    until(lambda: "LookupError: not for the caller" in host.log())
    assert "ERROR [broken " in host.log()


def test_log_lines_carry_the_invocation(host: Running) -> None:
    host.call("GET", "/api/items/a", headers=key(host))
    line = str(until(lambda: next((x for x in host.lines if "sample: asked" in x), None)))
    invocation = line.split("invocation_in_context=")[1].strip()
    assert f"INFO [items {invocation}] sample: asked" in line


def test_admin_api(host: Running) -> None:
    assert host.call("GET", "/admin/host/ping").status_code == 200
    assert host.call("GET", "/admin/host/status", headers=key(host)).status_code == 401
    assert host.admin("GET", "/admin/host/status").json()["state"] == "Running"
    listed = {each["name"]: each for each in host.admin("GET", "/admin/functions").json()}
    assert listed["asleep"]["isDisabled"] is True
    assert listed["items"]["isDisabled"] is False
    assert host.admin("GET", "/admin/functions/items/status").json() == {"isDisabled": False}
    assert host.admin("GET", "/admin/functions/unknown").status_code == 404
    assert host.admin("POST", "/admin/functions/items", json={"input": ""}).status_code == 400


def test_listens_on_loopback_only(host: Running) -> None:
    port = int(host.url.rsplit(":", 1)[1])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), 2):  # noqa: PT011
        pass


def test_routes_without_prefix(tmp_path: Path) -> None:
    host_json = {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}
    with running(write_app(tmp_path, APP, host_json)) as host:
        assert host.call("GET", "/files/x").status_code == 200
        assert host.call("GET", "/api/files/x").status_code == 404

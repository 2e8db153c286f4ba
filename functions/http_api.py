"""The HTTP API: registration of its calls."""

import azure.functions as func

from functions.calls import CALLS
from functions.http.call import Call
from shared import bootstrap


def blueprint() -> func.Blueprint:
    made = func.Blueprint()
    for call in CALLS:
        _register(made, call)
    return made


def _register(made: func.Blueprint, call: Call) -> None:
    @made.function_name(name=call.name)
    @made.route(route=call.path, methods=[call.method], auth_level=func.AuthLevel.FUNCTION)
    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        from functions.http.serving import serve  # indexing does without
        from shared import telemetry

        bootstrap.observe()
        trace = telemetry.trace_in(req.headers)
        with telemetry.called(call.name, call.method, call.path, trace) as answered:
            answer = await serve(call, req, bootstrap.context)
            answered.status = answer.status_code
            return answer

"""Answers: JSON, and problems as RFC 9457 has them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import azure.functions as func
import msgspec

from shared.model.connection import Value
from shared.requests import Problem

PROBLEM_JSON = "application/problem+json"

UNREADABLE = frozenset({"NOT_JSON", "TOO_DEEP"})
"""Codes of bodies that could not be read at all."""


class ProblemAnswer(Value, frozen=True):
    """What is wrong with a call, for people and programs (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    problems: tuple[Problem, ...] = ()
    operation: str = ""  # the operation that is in the way


class Fault(Exception):
    """Ends a call with a problem."""

    def __init__(
        self,
        status: int,
        problems: Sequence[Problem],
        *,
        operation: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problems[0].code)
        self.status = status
        self.problems = tuple(problems)
        self.operation = operation
        self.headers = dict(headers or {})

    def answer(self) -> func.HttpResponse:
        first, count = self.problems[0], len(self.problems)
        body = ProblemAnswer(
            type=f"urn:keyturn:problem:{first.code}",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=first.message if count == 1 else f"{count} problems; first: {first.message}",
            problems=self.problems,
            operation=self.operation,
        )
        return func.HttpResponse(
            msgspec.json.encode(body),
            status_code=self.status,
            headers=self.headers,
            mimetype=PROBLEM_JSON,
        )


def fault(status: int, code: str, message: str, hint: str, *, field: str = "") -> Fault:
    """A fault of one problem."""
    return Fault(status, [Problem(field=field, code=code, message=message, hint=hint)])


def bad_input(problems: Sequence[Problem]) -> Fault:
    codes = {problem.code for problem in problems}
    if "TOO_LARGE" in codes:
        return Fault(413, problems)
    return Fault(400 if codes & UNREADABLE else 422, problems)


def ok(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    return func.HttpResponse(
        msgspec.json.encode(content),
        status_code=status,
        headers=dict(headers or {}),
        mimetype="application/json",
    )


def text(
    content: str, mimetype: str, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    # The library names the charset of text, which text/markdown needs (RFC 7763).
    return func.HttpResponse(content.encode(), headers=dict(headers or {}), mimetype=mimetype)

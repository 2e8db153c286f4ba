"""Headers that every answer has, so that no browser or cache makes more of it than it is.

`host.json` has the same ones for the answers of the host itself (a wrong key, no such path).
Source: OWASP, "HTTP Security Response Headers" and "REST Security" cheat sheets.
"""

import azure.functions as func

HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def hardened(answer: func.HttpResponse) -> func.HttpResponse:
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer

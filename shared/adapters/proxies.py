"""Whether requests go through a proxy, by the environment (``HTTPS_PROXY``, ``NO_PROXY``).

aiohttp, told to look there, asks two threads before each request: for a proxy, and for a password
in a ``.netrc``. That is a fifth of the time of a small request, so it is told to only where there
is a proxy. httpx does not look there when it is given a transport.
"""

from urllib.request import getproxies, proxy_bypass


def configured() -> bool:
    """Whether there is one for any host."""
    return bool(getproxies())


def towards(host: str) -> str | None:
    """Address of the proxy for requests to *host* over TLS; None to ask the host itself."""
    known = getproxies().get("https")
    if not known or proxy_bypass(host):
        return None
    return known if "://" in known else f"http://{known}"

"""Stand-in for Microsoft's private test helpers, as much as the suite of the secrets client uses.

Runs in the process of that suite only, live against the vault named in the environment.
"""

import asyncio
import functools
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

LONGEST_SLEEP = 5.0
"""The samples give a real vault a minute after a purge; the emulator needs none."""


def is_live() -> bool:
    return True


def _nothing(*_: Any, **__: Any) -> None:
    """Recordings are neither made nor played."""


add_oauth_response_sanitizer = _nothing
add_general_regex_sanitizer = _nothing
add_body_key_sanitizer = _nothing
add_remove_header_sanitizer = _nothing
remove_batch_sanitizers = _nothing
set_custom_default_matcher = _nothing
set_bodiless_matcher = _nothing


@pytest.fixture(scope="session")
def test_proxy() -> Iterator[None]:
    """The suite's session fixture hangs on it, so it is the place for what the run needs."""
    with pytest.MonkeyPatch.context() as patch:
        sleep, async_sleep = time.sleep, asyncio.sleep
        patch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, LONGEST_SLEEP)))

        def shorter(seconds: float, result: Any = None) -> Awaitable[Any]:
            return async_sleep(min(seconds, LONGEST_SLEEP), result)

        patch.setattr(asyncio, "sleep", shorter)
        yield


def recorded_by_proxy(test: Callable[..., Any]) -> Callable[..., Any]:
    """Recordings are neither made nor played."""
    return test


class AzureRecordedTestCase:
    """Base class of the suite's test classes."""

    is_live = True
    in_recording = False

    @staticmethod
    def await_prepared_test(test: Callable[..., Awaitable[Any]]) -> Callable[..., None]:
        """Run an asynchronous test in a loop of its own."""

        @functools.wraps(test)
        def run(*arguments: Any, **options: Any) -> None:
            asyncio.run(test(*arguments, **options))

        return run

    def get_resource_name(self, prefix: str) -> str:
        return prefix + uuid4().hex[:12]

    get_replayable_random_resource_name = get_resource_name

    def get_credential(self, _: type, **options: Any) -> Any:
        """Answer the real credential, against the issuer named in the environment."""
        if options.get("is_async"):
            from azure.identity.aio import ClientSecretCredential
        else:
            from azure.identity import ClientSecretCredential
        return ClientSecretCredential(
            os.environ["AZURE_TENANT_ID"],
            os.environ["AZURE_CLIENT_ID"],
            os.environ["AZURE_CLIENT_SECRET"],
            authority=os.environ["AZURE_AUTHORITY_HOST"],
            disable_instance_discovery=True,
            connection_verify=os.environ["STAND_IN_CA_FILE"],
        )

    def create_client_from_credential(self, client: type, credential: Any, **options: Any) -> Any:
        known = {
            "verify_challenge_resource": False,
            "connection_verify": os.environ["STAND_IN_CA_FILE"],
            "logging_enable": True,
        }
        return client(credential=credential, **(known | options))

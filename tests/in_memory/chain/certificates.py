"""Devolutions Server as if its guide had a certificate in place of a client secret."""

from typing import Any

import pytest
from msgspec.structs import replace

from shared.profile import catalogue
from tests.fakes import FakeContext
from tests.fakes.tenant import SecretRow
from tests.in_memory.chain.drifts import application
from tests.in_memory.chain.world import NAME

PROFILE = "devolutions-server"


def signs_in_with(patch: pytest.MonkeyPatch, kind: str, **more: Any) -> None:
    """From now on the profile says so, as after a deployment of another version of it."""
    plain = catalogue()[PROFILE]
    credential = replace(plain.credential, kind=kind, **more)
    known = catalogue()._read  # noqa: SLF001 - where a deployment would have put another file
    patch.setitem(known, PROFILE, replace(plain, credential=credential))


def certificates(ctx: FakeContext) -> list[SecretRow]:
    return [row for row in application(ctx).secrets if row.certificate]


def secrets(ctx: FakeContext) -> list[SecretRow]:
    return [row for row in application(ctx).secrets if not row.certificate]


def served(ctx: FakeContext) -> str:
    """Key id of what the vault serves."""
    return ctx.vault.versions[NAME][-1].tags["keyId"]

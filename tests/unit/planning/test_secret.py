"""The one type with a value never shows it."""

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from shared.model.credential import NewSecret
from tests.unit.planning.samples import NOW

VALUE = "~8Q~the.value-that_nobody-may-see"


@pytest.fixture
def secret() -> NewSecret:
    return NewSecret(key_id="k", ends=NOW, hint="~8Q", value=VALUE)


def test_it_is_there_for_who_asks(secret):
    assert secret.reveal() == VALUE


SHOWN = {
    "repr": repr,
    "str": str,
    "format": "{}".format,
    "f-string": lambda s: f"{s} {s!r} {s!s}",
    "percent": lambda s: "%s %r" % (s, s),  # noqa: UP031 - the form that logging uses
    "inside a list": lambda s: repr([s, {"secret": s}]),
    "in an error": lambda s: repr(ValueError(s)),
    "dir": lambda s: " ".join(dir(s)),
}


@pytest.mark.requirement("X-04")
@pytest.mark.parametrize("name", SHOWN)
def test_it_is_never_shown(name, secret):
    assert VALUE not in SHOWN[name](secret)


REFUSED = {
    "pickle": pickle.dumps,
    "oldest pickle": lambda s: pickle.dumps(s, protocol=0),
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "msgspec JSON": msgspec.json.encode,
    "msgspec MessagePack": msgspec.msgpack.encode,
    "msgspec builtins": msgspec.to_builtins,
    "json": json.dumps,
    "vars": vars,
    "a format": lambda s: format(s, ">40"),
}


@pytest.mark.requirement("X-04")
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_never_encoded(name, secret):
    with pytest.raises(TypeError) as refusal:
        REFUSED[name](secret)
    assert VALUE not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.requirement("X-04")
def test_it_is_never_logged(secret, caplog):
    log = logging.getLogger("keyturn.test")
    with caplog.at_level(logging.DEBUG):
        log.info("secret.added %s %r", secret, secret, extra={"secret": secret})
        log.error("failed", exc_info=ValueError(secret))
    assert "secret.added" in caplog.text
    assert VALUE not in caplog.text
    assert all(VALUE not in str(vars(record)) for record in caplog.records)

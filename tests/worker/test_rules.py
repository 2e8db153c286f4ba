"""Each rule for function code, held against Microsoft's worker library and against our host.

The first pins our understanding of the library when its version is raised; the second shows that
the local host refuses what would make functions disappear in Azure.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators.host.process import command
from tests.worker import native
from tests.worker.prepared import Prepared, prepared
from tests.worker.table import BAD, GOOD, HOST_ONLY, Row


def folder(tmp_path: Path, row: Row) -> Path:
    (tmp_path / "function_app.py").write_text(row.source)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    return tmp_path


@pytest.fixture(scope="module")
def warm() -> Iterator[Prepared]:
    with prepared() as process:
        yield process


def ours(warm: Prepared, app: Path) -> subprocess.CompletedProcess[str]:
    arguments = command(app, "--list")[3:]  # less "python -m emulators.host"
    return warm.run("emulators.host.__main__", arguments, app)


def library(warm: Prepared, app: Path) -> dict[str, native.Indexed]:
    return native.read_index(warm.run("tests.worker.native", ["index", str(app)], app))


def ids(rows: tuple[Row, ...]) -> list[str]:
    return [row.id for row in rows]


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_library_refuses(warm: Prepared, tmp_path: Path, row: Row) -> None:
    pytest.importorskip("azure_functions_runtime")
    app = folder(tmp_path, row)
    if row.native is None:
        assert library(warm, app) == {}
        return
    with pytest.raises(native.IndexingError) as caught:
        library(warm, app)
    assert row.native in str(caught.value)


@pytest.mark.parametrize("row", [*BAD, *HOST_ONLY], ids=ids((*BAD, *HOST_ONLY)))
def test_host_refuses(warm: Prepared, tmp_path: Path, row: Row) -> None:
    done = ours(warm, folder(tmp_path, row))
    assert done.returncode == 1
    assert row.ours in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("row", HOST_ONLY, ids=ids(HOST_ONLY))
def test_library_does_not_know_the_rules_of_the_host(
    warm: Prepared, tmp_path: Path, row: Row
) -> None:
    pytest.importorskip("azure_functions_runtime")
    assert library(warm, folder(tmp_path, row))


@pytest.mark.parametrize("row", GOOD, ids=ids(GOOD))
def test_both_accept(warm: Prepared, tmp_path: Path, row: Row) -> None:
    pytest.importorskip("azure_functions_runtime")
    app = folder(tmp_path, row)
    found = library(warm, app)
    done = ours(warm, app)
    assert done.returncode == 0, done.stderr
    assert [each["name"] for each in json.loads(done.stdout)] == list(found)

"""A known vulnerability fails, unless it is let pass until a date that has not come."""

from datetime import date
from pathlib import Path

import pytest

from release import __main__ as command
from release import audit
from release.audit import Entry, Known
from release.locks import ROOT, Pin
from tests.release.osv import service, vulnerability

TODAY = date(2026, 11, 21)
BAD = Known("msgspec==0.1", ("PYSEC-2026-1", "CVE-2026-1"), ("0.2",))


def entry(id_: str = "CVE-2026-1", expires: date = date(2026, 12, 31)) -> Entry:
    return Entry(id_, "not reachable here", expires)


def test_a_known_vulnerability_is_a_problem_that_names_its_remedy() -> None:
    (problem,) = audit.problems([BAD], [], TODAY)
    assert "msgspec==0.1" in problem and "CVE-2026-1" in problem and "fixed in 0.2" in problem


def test_it_is_let_pass_by_any_of_its_names_before_the_date() -> None:
    assert audit.problems([BAD], [entry()], TODAY) == []
    assert audit.problems([BAD], [entry("PYSEC-2026-1")], TODAY) == []


def test_from_the_date_on_entry_and_vulnerability_are_problems() -> None:
    expired, known = sorted(audit.problems([BAD], [entry(expires=TODAY)], TODAY))
    assert "allowed until 2026-11-21 only" in expired and "msgspec" in known


def test_an_entry_that_nothing_needs_any_more_is_a_problem() -> None:
    (problem,) = audit.problems([], [entry()], TODAY)
    assert "remove the entry" in problem


@pytest.mark.parametrize(
    "text",
    [
        'id = "CVE-2026-1"\nexpires = 2026-12-31',
        'id = "CVE-2026-1"\nreason = " "\nexpires = 2026-12-31',
        'reason = "none"\nexpires = 2026-12-31',
        'id = "CVE-2026-1"\nreason = "none"',
        'id = "CVE-2026-1"\nreason = "none"\nexpires = "soon"',
    ],
)
def test_an_entry_without_id_reason_or_date_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "audit.toml").write_text(f"[[allowed]]\n{text}\n")
    with pytest.raises(audit.BadEntry, match="needs"):
        audit.entries(tmp_path / "audit.toml")


def test_the_allow_list_can_be_read_and_lets_nothing_pass_for_long() -> None:
    for each in audit.entries():
        assert (each.expires - TODAY).days < 366, each


def test_an_entry_is_read(tmp_path: Path) -> None:
    text = '[[allowed]]\nid = "CVE-2026-1"\nreason = "not reachable here"\nexpires = 2026-12-31\n'
    (tmp_path / "audit.toml").write_text(text)
    assert audit.entries(tmp_path / "audit.toml") == [entry()]


def test_every_version_of_every_lock_is_asked_for() -> None:
    """By the real pip-audit, of a service that speaks OSV's protocol."""
    wanted = audit.locked()
    twice = next(pin for pin in wanted if pin.name == "azure-functions")
    catalogue = {
        "msgraph-sdk==1.65.0": [vulnerability("PYSEC-2", "msgraph-sdk", "CVE-2", fixed="1.66.0")],
        str(twice): [vulnerability("GHSA-3", "azure-functions")],
    }
    with service(catalogue) as (address, asked):
        found = audit.ask(wanted, address)
    versions = {(each["package"]["name"], each["version"]) for each in asked}
    assert versions == {(pin.name, pin.version) for pin in wanted}
    assert {each["package"]["ecosystem"] for each in asked} == {"PyPI"}
    assert found == [
        Known(str(twice), ("GHSA-3",)),
        Known("msgraph-sdk==1.65.0", ("PYSEC-2", "CVE-2"), ("1.66.0",)),
    ]


def test_a_service_that_refuses_is_a_failure_and_not_a_skip() -> None:
    with service({}, status=500) as (address, _), pytest.raises(audit.AuditFailed):
        audit.ask([Pin("msgspec", "0.1")], address)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setattr(audit, "locked", lambda: [Pin("msgspec", "0.1")])


NOBODY = "http://127.0.0.1:9/v1/query"


@pytest.mark.usefixtures("few")
def test_offline_the_command_says_that_it_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["audit", "--service", NOBODY]) == 0
    said = capsys.readouterr().err
    assert "SKIPPED" in said and "127.0.0.1 cannot be reached" in said


@pytest.mark.usefixtures("few")
def test_where_it_is_required_offline_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["audit", "--require", "--service", NOBODY]) == 1
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert command.main(["audit", "--service", NOBODY]) == 1
    assert "SKIPPED" not in capsys.readouterr().err


@pytest.mark.usefixtures("few")
def test_the_command_fails_for_what_is_known_and_passes_for_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with service({"msgspec==0.1": [vulnerability("CVE-7", "msgspec")]}) as (address, _):
        assert command.main(["audit", "--service", address]) == 1
    assert "msgspec==0.1 has CVE-7, not fixed yet" in capsys.readouterr().err
    with service({}) as (address, _):
        assert command.main(["audit", "--service", address]) == 0


def test_the_allow_list_is_where_the_check_looks() -> None:
    assert audit.ALLOWED == ROOT / "release" / "audit.toml"

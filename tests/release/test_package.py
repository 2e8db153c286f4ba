"""The deployment package: what is in it, who indexes it, and that it is the same bytes twice."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release import archive, licences, package, sbom
from release.locks import ROOT, pins
from release.package import PRODUCT, Target
from release.site import installed, named
from tests.release.built import built, package_hosting, site, unpacked
from tests.worker.native import read_index

COPIED = ("release", "functions", "shared", "infra", "pyproject.toml", "function_app.py",
          "host.json", PRODUCT, "requirements.in")  # fmt: skip


@pytest.fixture(scope="module")
def target() -> Target:
    return built()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("app"))


def test_it_holds_our_code_its_data_and_nothing_else(app: Path) -> None:
    assert {path.name for path in app.iterdir()} == {
        "function_app.py", "host.json", PRODUCT, "functions", "shared", ".python_packages",
        "__pycache__",
    }  # fmt: skip
    own = {f.relative_to(app) for d in ("functions", "shared") for f in (app / d).rglob("*.*")}
    tracked = subprocess.run(
        ["git", "ls-files", "functions", "shared"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    expected = {Path(each) for each in tracked if not each.endswith("__main__.py")}
    assert {each for each in own if each.suffix != ".pyc"} == expected
    assert any(each.suffix == ".yaml" for each in own)


def test_every_module_comes_as_bytecode(app: Path) -> None:
    assert list(site(app).rglob("*.py")) == []
    for source in (*(app / "functions").rglob("*.py"), *(app / "shared").rglob("*.py")):
        name = f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        assert (source.parent / "__pycache__" / name).is_file(), source


def test_nothing_tells_of_the_machine_that_built_it(app: Path) -> None:
    wanted = [str(ROOT).encode(), str(Path.home()).encode() + b"/", b"tested-package"]
    for file in archive.files(app):
        if file.suffix in (".pyc", ".py", ".json", ".txt", ".yaml") or file.name == "METADATA":
            data = file.read_bytes()
            assert not [each for each in wanted if each in data], file


def test_worker_library_indexes_it(app: Path, tmp_path: Path) -> None:
    """In a process that finds the library, and else only the package."""
    pytest.importorskip("azure_functions_runtime")
    hosting = package_hosting(tmp_path / "hosting")
    done = subprocess.run(
        [sys.executable, "-m", "tests.worker.native", "index", str(app)],
        cwd=app,
        env={**os.environ, "PYTHONPATH": f"{site(app)}{os.pathsep}{hosting}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    named = json.loads((ROOT / "infra" / "functions.json").read_text("utf-8"))
    assert set(read_index(done)) == {name for names in named.values() for name in names}


def test_every_import_is_answered_by_the_package_alone(app: Path) -> None:
    """Without anything that is installed here, and for imports inside functions, too."""
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "tests" / "release" / "imports.py"), str(app)],
        cwd=app,
        env={"PYTHONPATH": f"{site(app)}{os.pathsep}{app}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    count, _, unanswered = done.stdout.strip().partition(" ")
    assert int(count) > 500 and unanswered == "[]"


def test_a_clone_elsewhere_builds_the_same_bytes(target: Target, tmp_path: Path) -> None:
    clone = tmp_path / "another place"
    clone.mkdir()
    for name in COPIED:
        subprocess.run(["cp", "-r", str(ROOT / name), str(clone / name)], check=True)
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    environment.pop("PYTHONPATH", None)
    subprocess.run(
        [sys.executable, "-m", "release", "package", "--folder", str(tmp_path / "built")],
        cwd=clone,
        env=environment,
        check=True,
        timeout=900,
        umask=0o077,
    )
    again = Target(tmp_path / "built")
    assert _entries(again.zip) == _entries(target.zip)
    assert archive.sha256(again.zip) == archive.sha256(target.zip)
    assert again.bill.read_bytes() == target.bill.read_bytes()


def test_bill_of_materials_names_what_is_inside(target: Target, app: Path) -> None:
    bill = json.loads(target.bill.read_text("utf-8"))
    sbom.check(json.dumps(bill))
    inside = {(named(each), each.version) for each in installed(site(app))}
    assert {(each["name"], each["version"]) for each in bill["components"]} == inside
    locked = {(pin.name, pin.version): pin for pin in pins(app / PRODUCT)}
    for each in bill["components"]:
        sums = {f"sha256:{known['content']}" for known in each["hashes"]}
        assert sums == set(locked[each["name"], each["version"]].hashes)
        assert each["licenses"], each["name"]
    edges = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert any("msgraph-sdk" in ref for ref in edges["keyturn"])
    reached, waiting = set[str](), ["keyturn"]
    while waiting:
        ref = waiting.pop()
        waiting += [each for each in edges[ref] if each not in reached]
        reached |= {ref}
    assert reached == set(edges), "every part is needed by another"


def test_a_broken_bill_is_refused(target: Target) -> None:
    bill = json.loads(target.bill.read_text("utf-8"))
    bill["components"][0]["type"] = "spare part"
    with pytest.raises(ValueError, match="not a CycloneDX document"):
        sbom.check(json.dumps(bill))


def test_what_is_not_locked_is_not_described(app: Path, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("aiohttp==1.0 --hash=sha256:0\n")
    with pytest.raises(sbom.Unlocked, match="in no lock file"):
        sbom.document(installed(site(app)), lock)


def test_every_licence_in_the_package_is_allowed(app: Path) -> None:
    policy = licences.Policy.read()
    found = [licences.licence(each, policy) for each in installed(site(app))]
    assert found and [each for each in found if not each.allowed] == []


def test_bytes_depend_on_names_and_contents_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    for number, names in enumerate((("b", "a"), ("a", "b"))):
        folder = tmp_path / str(number)
        for name in names:
            (folder / name).mkdir(parents=True)
            (folder / name / "x.py").write_text(name)
            (folder / name / "x.py").chmod(0o600 + 0o111 * number)
            os.utime(folder / name / "x.py", (number, number))
        archive.write(folder, tmp_path / f"{number}.zip")
    assert (tmp_path / "0.zip").read_bytes() == (tmp_path / "1.zip").read_bytes()
    assert _entries(tmp_path / "0.zip") == [("a/x.py", (1980, 1, 1)), ("b/x.py", (1980, 1, 1))]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763683200")
    archive.write(tmp_path / "0", tmp_path / "2.zip")
    assert {date for _, date in _entries(tmp_path / "2.zip")} == {(2025, 11, 21)}


def test_a_package_for_another_python_is_not_deployed(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    bicep = tmp_path / "infra" / "main.bicep"
    bicep.write_text(f"param pythonVersion string = '{package.running()}'\n")
    package.require_deployable(tmp_path)
    bicep.write_text("param pythonVersion string = '3.99'\n")
    with pytest.raises(package.WrongPython, match=r"PYTHON=python3\.99 make package"):
        package.require_deployable(tmp_path)
    bicep.write_text("")
    with pytest.raises(package.WrongPython, match="no default"):
        package.require_deployable(tmp_path)
    assert package.deployed() in ("3.11", "3.12", "3.13")


def _entries(file: Path) -> list[tuple[str, tuple[int, ...]]]:
    with zipfile.ZipFile(file) as opened:
        assert {each.external_attr for each in opened.infolist()} == {archive.MODE}
        return [(each.filename, each.date_time[:3]) for each in opened.infolist()]

"""What is installed is what was locked: exact versions, hashes of files, nothing of a machine."""

from pathlib import Path

import pytest

from release.locks import LOCKS, ROOT, lines, named, pins


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_names_the_hashes_of_its_files(lock: str) -> None:
    for pin in pins(ROOT / lock):
        assert pin.hashes, f"{pin} of {lock} has no hash; run: make lock"
        for each in pin.hashes:
            kind, _, value = each.partition(":")
            assert (kind, len(value)) == ("sha256", 64), pin


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_what_is_asked_for(lock: str) -> None:
    assert named(ROOT / LOCKS[lock]) <= {pin.name for pin in pins(ROOT / lock)}, "run: make lock"


def test_one_version_of_a_distribution_for_one_python() -> None:
    """The checker's models are installed on top of everything else, and must change nothing."""
    dev = {(pin.name, pin.marker): pin.version for pin in pins(ROOT / "requirements-dev.txt")}
    for lock in LOCKS:
        for pin in pins(ROOT / lock):
            assert dev.get((pin.name, pin.marker), pin.version) == pin.version, (lock, pin)


def test_product_is_part_of_what_developers_install() -> None:
    assert set(pins(ROOT / "requirements.txt")) <= set(pins(ROOT / "requirements-dev.txt"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--index-url https://packages.example/simple\na==1 --hash=sha256:0\n", "no options"),
        ("a>=1\n", "not pinned"),
        ("a\n", "not pinned"),
        ("a==1,!=2\n", "not pinned"),
    ],
)
def test_a_lock_that_leaves_a_choice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        pins(tmp_path / "r.txt")


def test_comments_and_continued_lines_are_understood(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(
        "# c\na==1 ; python_version < '3' \\\n    --hash=sha256:0 # x\n"
    )
    assert list(lines(tmp_path / "r.txt")) == ["a==1 ; python_version < '3'      --hash=sha256:0"]
    (pin,) = pins(tmp_path / "r.txt")
    assert (str(pin), pin.marker, pin.hashes) == ("a==1", 'python_version < "3"', ("sha256:0",))

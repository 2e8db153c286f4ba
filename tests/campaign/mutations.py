"""Deliberate breakages of the product: the campaign must notice each of them.

Each is applied to a copy of the sources, and the bounded campaign is run on the copy.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaign.__main__ import BREACHED

ROOT = Path(__file__).parents[2]

SEEDS = 300
"""Of the bounded campaign."""

Edit = tuple[str, str, str]
"""File, the text that is there once, and what takes its place."""


@dataclass(frozen=True)
class Mutation:
    name: str
    edits: tuple[Edit, ...]


CREDENTIALS = "shared/planning/credentials.py"
RETIREMENT = "shared/planning/retirement.py"
ISSUANCE = "shared/issuance.py"
PUBLICATION = "shared/publication.py"
RUNTIME = "shared/runtime.py"
DELIVERY = "shared/delivery.py"

STALE_NEVER = 'or past this step."""\n        return False and ('

MUTATIONS = (
    Mutation(
        "publish before verify",
        (
            (
                CREDENTIALS,
                "again\n    return Publish(previous_key_id=former(facts)) if facts.verified",
                "again\n    return Publish(previous_key_id=former(facts)) if True",
            ),
        ),
    ),
    Mutation(
        "no intent row",
        (
            (
                ISSUANCE,
                '    await work.record("secret.intended", name=wanted.name, why=wanted.why)\n',
                "",
            ),
        ),
    ),
    Mutation(
        "the replaced secret is removed at once",
        (
            (RETIREMENT, "    if not over:\n", "    if False:\n"),
            (
                PUBLICATION,
                'await work.ctx.ledger.set_due("retire", name, first)',
                'await work.ctx.ledger.set_due("retire", name, work.now)',
            ),
        ),
    ),
    Mutation(
        "no settle time",
        ((CREDENTIALS, "SETTLE = timedelta(hours=1)", "SETTLE = timedelta(0)"),),
    ),
    Mutation(
        "addPassword is sent again when its answer is lost",
        (
            (
                ISSUANCE,
                "        secret = await _create(work, wanted.name, wanted.ends)\n",
                (
                    "        try:\n"
                    "            secret = await _create(work, wanted.name, wanted.ends)\n"
                    "        except TryLater:\n"
                    "            secret = await _create(work, wanted.name, wanted.ends)\n"
                ),
            ),
        ),
    ),
    Mutation(
        "a secret whose value was lost is left there",
        ((CREDENTIALS, "    if mine:\n        return Discard(mine[0].key_id)\n", ""),),
    ),
    Mutation(
        "what failed attempts left is not looked for",
        (
            (
                "shared/leftovers.py",
                "            found.add(secret.key_id)\n",
                "            pass\n",
            ),
        ),
    ),
    Mutation(
        "the replaced secret is forgotten",
        (
            (
                PUBLICATION,
                "    if overlap is not None:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mutation(
        "secrets of others are swept too",
        (
            (
                "shared/leftovers.py",
                'operation = operation_of(secret.name) if secret.name.startswith(PREFIX) else ""\n',
                "found.add(secret.key_id)\n        operation = operation_of(secret.name)\n",
            ),
        ),
    ),
    Mutation(
        "the next rotation is not noted",
        (
            (
                PUBLICATION,
                '    await work.ctx.ledger.set_due("rotate", name, credential.due)\n',
                "",
            ),
        ),
    ),
    Mutation(
        "no watch over operations that lost their message",
        (
            (
                "shared/operations.py",
                (
                    "        await ctx.ledger.set_due(RESUME, connection, now + RESUME_AFTER)\n"
                    "        if not await _begin("
                ),
                "        if not await _begin(",
            ),
        ),
    ),
    Mutation(
        "one token proves a secret",
        (("shared/proof.py", "SUCCESSES = 5", "SUCCESSES = 1"),),
    ),
    Mutation(
        "the tenant's policy is not obeyed",
        (
            (
                ISSUANCE,
                'if refusal.code != "SECRET_LIFETIME_OVER_POLICY":',
                'if refusal.code == "SECRET_LIFETIME_OVER_POLICY":',
            ),
        ),
    ),
    Mutation(
        "two steps at once on one connection",
        (
            (
                RUNTIME,
                "        async with ctx.ledger.turn(delivery.message.connection) as turn:\n",
                (
                    "        from types import SimpleNamespace\n"
                    "        from contextlib import nullcontext\n"
                    "        free = SimpleNamespace(before_write=bool, after_write=bool)\n"
                    "        async with nullcontext(free) as turn:\n"
                ),
            ),
        ),
    ),
    Mutation(
        "messages of operations that are over are worked on",
        ((DELIVERY, 'or past this step."""\n        return (', STALE_NEVER),),
    ),
    Mutation(
        "the staged secret is taken for the lost one",
        (
            (
                CREDENTIALS,
                "if secret.key_id != staged.key_id]\n    if lost:",
                "if secret.key_id == staged.key_id]\n    if lost:",
            ),
        ),
    ),
)


def copy_with(mutation: Mutation, folder: Path) -> None:
    """A copy of the product with the breakage in it; raises `ValueError` when a text is gone."""
    for part in ("functions", "shared"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for link in ("tests", "emulators", "pyproject.toml", "infra", "docs"):
        (folder / link).symlink_to(ROOT / link)
    for name, there, instead in mutation.edits:
        file = folder / name
        text = file.read_text("utf-8")
        if text.count(there) != 1:
            raise ValueError(f"{mutation.name}: {name} has this {text.count(there)} times: {there}")
        file.write_text(text.replace(there, instead), "utf-8")


def is_caught(mutation: Mutation, folder: Path, seeds: int) -> tuple[bool, str]:
    """Whether the campaign notices, and what it says."""
    copy_with(mutation, folder)
    command = [sys.executable, "-m", "tests.campaign", "--seeds", str(seeds)]
    done = subprocess.run(
        [*command, "--stop-at", "1", "--jobs", "1", "--bare"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, BREACHED):
        raise RuntimeError(done.stderr[-2000:])
    return done.returncode == BREACHED, done.stdout


def main() -> int:
    """Try them all; 1 when one of them was not noticed."""
    missed = 0
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        homes = [Path(folder) / str(number) for number in range(len(MUTATIONS))]
        for home in homes:
            home.mkdir()
        found = pool.map(is_caught, MUTATIONS, homes, [SEEDS] * len(MUTATIONS))
        for mutation, (caught, said) in zip(MUTATIONS, found, strict=True):
            seeds = said.partition(" ")[0]
            breach = next((line for line in said.splitlines() if line.startswith("  day")), "")
            word = f"noticed after {seeds} seeds:{breach[1:]}" if caught else "NOT NOTICED"
            print(f"{mutation.name}: {word}", flush=True)
            missed += not caught
    print(f"{len(MUTATIONS)} deliberate breakages, {missed} not noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Microsoft's live tests of azure-keyvault-secrets, unmodified, against the emulator."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.emulators.keyvault.bench import Bench
from tests.emulators.keyvault.sources import suite

FILES = (
    "test_secrets_client.py",
    "test_secrets_async.py",
    "test_samples_secrets.py",
    "test_samples_secrets_async.py",
    "test_parse_id.py",
)
"""Its live tests. The rest, of challenges, is offline: it tries the SDK, not the emulator."""
OTHER_VERSIONS = "This test only uses the default API version for live tests"
"""The suite's own reason for running live tests with one api-version only."""
LIVE = {
    "test_secrets_client": 16,
    "test_secrets_async": 15,
    "test_samples_secrets": 5,
    "test_samples_secrets_async": 5,
    "test_parse_id": 4,
}
"""How many tests of each module must pass."""


async def test_suite_passes(bench: Bench, tmp_path: Path) -> None:
    tests = await asyncio.to_thread(suite)
    report = tmp_path / "report.xml"
    output = await _run(bench, tests, tmp_path, report)
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314  # our own report
    failed = [c.get("name") for c in cases if c.find("failure") is not None]
    failed += [c.get("name") for c in cases if c.find("error") is not None]
    assert not failed, output
    skipped = Counter(s.get("message") for c in cases for s in c.iter("skipped"))
    passed = Counter(
        str(c.get("classname")).split(".")[0] for c in cases if c.find("skipped") is None
    )
    print(f"passed: {dict(passed)}; skipped: {dict(skipped)}")  # noqa: T201  # part of the result
    assert set(skipped) == {OTHER_VERSIONS}
    assert passed == LIVE


async def _run(bench: Bench, tests: Path, work: Path, report: Path) -> str:
    """Run the suite in a process of its own, with a configuration of its own."""
    settings = work / "suite.ini"
    settings.write_text("[pytest]\nmarkers =\n    playback_test_only\n")
    issuer = bench.issuer
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent / "stand_in"),
        "AZURE_KEYVAULT_URL": bench.vault.url,
        "AZURE_AUTHORITY_HOST": issuer.url,
        "STAND_IN_CA_FILE": issuer.ca_file,
        "KEYVAULT_TENANT_ID": issuer.tenant,
        "KEYVAULT_CLIENT_ID": issuer.client_id,
        "KEYVAULT_CLIENT_SECRET": issuer.client_secret,
    }
    options = ["-c", str(settings), "--rootdir", str(tests), "-p", "no:cacheprovider", "-q"]
    options += ["--junit-xml", str(report), "--tb", "short"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *options, *FILES),
        cwd=tests,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(300):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode(errors="replace")
    assert process.returncode == 0, text[-8000:]
    return text

"""What azd's hook says, in a Python that has nothing installed."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def said(folder: Path, **variables: str) -> str:
    # -S: without installed packages, as where azd runs it.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from deploy.__main__ import main"
    command = [sys.executable, "-S", "-c", f"{code}; sys.exit(main(['next']))"]
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_it_says_what_is_left_and_who_can_do_it(tmp_path: Path):
    known = {"AZURE_TENANT_ID": "t-1", "KEYTURN_FRONT_PRINCIPAL_ID": "p-1"}
    text = said(tmp_path, **known)
    assert "Privileged Role Administrator" in text
    assert "python -m deploy permissions --dry-run" in text and "python -m deploy doctor" in text
    assert "answers nobody" in text
    assert (
        "export AZURE_TENANT_ID=t-1\n" in text and "export KEYTURN_FRONT_PRINCIPAL_ID=p-1" in text
    )
    assert "knows its registration, a-1" in said(tmp_path, KEYTURN_API_CLIENT_ID="a-1")


def test_azd_runs_it_after_each_provision():
    hook = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))["hooks"]["postprovision"]
    assert "-m deploy next" in hook["posix"]["run"] and "-m deploy next" in hook["windows"]["run"]

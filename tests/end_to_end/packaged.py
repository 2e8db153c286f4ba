"""A local cloud that runs the built package, unpacked elsewhere, and nothing of the checkout."""

import os
from pathlib import Path
from typing import Any

from emulators.stack import Options
from tests.release.built import package_hosting, site, unpacked


def options(folder: Path, **changes: Any) -> Options:
    """Options of a cloud whose functions are the package; needs a folder that is empty.

    The host writes what it imported, and from where, to ``modules.json`` when it ends.
    """
    app, hosting = unpacked(folder / "app"), package_hosting(folder / "hosting")
    os.environ["KEYTURN_MODULES"] = str(folder / "modules.json")
    return Options(
        folder=folder / "cloud",
        users=120,
        host="package_host",
        app=app,
        path=(site(app), hosting),
        **changes,
    )

"""Runs the local host on Microsoft's worker library, and writes where every module came from.

Copied to a folder of its own, beside copies of ``emulators`` and ``tests/worker``, so that nothing
of the checkout has to be on the path. The file to write is named by ``KEYTURN_MODULES``.
"""

import json
import os
import sys
from pathlib import Path

from emulators.host.__main__ import main
from tests.worker.native import Native, index_for_host


def run() -> int:
    code = main(sys.argv[1:], index_for_host, Native)
    files = {
        name: str(module.__file__)
        for name, module in list(sys.modules.items())
        if getattr(module, "__file__", None)
    }
    target = Path(os.environ["KEYTURN_MODULES"])
    target.write_text(json.dumps({"path": sys.path, "modules": files}), "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(run())

"""``python -m release.bytecode SITE APP``: compile a package, the same bytes on every run.

A process of its own: what is marshalled depends on which objects the interpreter already shares.
Bytecode is not checked against its source (PEP 552, unchecked): the package is mounted read-only,
and a look at every source file would be paid at every cold start.
"""

import py_compile
import sys
from pathlib import Path

MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH


def compile_dependencies(site: Path) -> None:
    """Put ``name.pyc`` in the place of ``name.py``.

    Half the size; and `azd` leaves ``__pycache__`` out when it packs a folder, but not these.
    """
    for source in sorted(site.rglob("*.py")):
        py_compile.compile(
            str(source),
            cfile=str(source.with_suffix(".pyc")),
            dfile=source.relative_to(site).as_posix(),
            doraise=True,
            invalidation_mode=MODE,
        )
        source.unlink()


def compile_own(app: Path, folders: tuple[str, ...]) -> None:
    """Bytecode beside our own sources, which stay: tracebacks show their lines."""
    for source in [app / "function_app.py", *_sources(app, folders)]:
        py_compile.compile(
            str(source),
            dfile=source.relative_to(app).as_posix(),
            doraise=True,
            invalidation_mode=MODE,
        )


def _sources(app: Path, folders: tuple[str, ...]) -> list[Path]:
    return sorted(file for folder in folders for file in (app / folder).rglob("*.py"))


def main(arguments: list[str]) -> int:
    site, app, *folders = arguments
    compile_dependencies(Path(site))
    compile_own(Path(app), tuple(folders))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m tests.requirements [--missing]``: write the pages, or print what has no test."""

import sys

from tests.requirements import collect
from tests.requirements.report import missing, pages, unknown


def main(arguments: list[str]) -> int:
    marks = collect()
    if wrong := unknown(marks):
        sys.stderr.write("in no list:\n" + "\n".join(wrong) + "\n")
        return 1
    if arguments == ["--missing"]:
        for marker, names in missing(marks).items():
            sys.stdout.write(f"{marker}, {len(names)} without a test: {' '.join(names)}\n")
        return 0
    for path, text in pages(marks).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

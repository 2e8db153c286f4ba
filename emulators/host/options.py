"""Command line of the host."""

import argparse
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Options a person gives; those of worker processes are hidden."""
    made = argparse.ArgumentParser("python -m emulators.host", description=__doc__)
    made.add_argument("--app", type=Path, required=True, help="folder with function_app.py")
    made.add_argument("--port", type=int, default=0, help="port of HTTP functions; 0 picks one")
    made.add_argument("--settings", type=Path, help="file in the form of local.settings.json")
    made.add_argument("--ready-file", type=Path, help="write the ready line to this file too")
    made.add_argument("--clock", type=Path, help="file of a shared emulated clock")
    made.add_argument("--state", type=Path, help="folder for timer status instead of storage")
    made.add_argument("--auth", metavar="AUTHORITY", help="validate tokens of this tenant (URL)")
    made.add_argument("--audience", action="append", default=[], help="of tokens; may be repeated")
    made.add_argument("--isolate", action="store_true", help="one process for each scale group")
    made.add_argument("--supervise", action="store_true", help="restart the app when it dies")
    made.add_argument("--log-format", choices=("text", "json"), default="text")
    made.add_argument("--log-level", default="INFO")
    made.add_argument("--only", help=argparse.SUPPRESS)
    made.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    made.add_argument("--follow-stdin", action="store_true", help=argparse.SUPPRESS)
    return made

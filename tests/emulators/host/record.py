"""What functions of sample apps saw: one JSON object a line in a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulators.host.process import until

CODE = """
def note(**seen):
    with pathlib.Path(os.environ["RECORD"]).open("a") as file:
        file.write(json.dumps({**seen, "at": time.time()}, default=str) + "\\n")

def describe(message):
    return dict(
        id=message.message_id, body=message.get_body().decode(), session=message.session_id,
        count=message.delivery_count, correlation=message.correlation_id,
        subject=message.subject, label=message.label, content_type=message.content_type,
        reply_to=message.reply_to, sequence=message.sequence_number,
        user=message.user_properties, application=message.application_properties,
        enqueued=str(message.enqueued_time_utc),
        zone=str(getattr(message.enqueued_time_utc, "tzinfo", None)),
        reason=message.dead_letter_reason, names=sorted(message.metadata))
"""


@dataclass(frozen=True)
class Record:
    """The file, read again whenever asked."""

    file: Path

    def all(self, **match: Any) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        lines = self.file.read_text().splitlines()
        seen = [json.loads(line) for line in lines if line.endswith("}")]
        return [each for each in seen if match.items() <= each.items()]

    def wait(self, count: int = 1, **match: Any) -> list[dict[str, Any]]:
        """Wait until that many entries match."""
        until(lambda: len(self.all(**match)) >= count)
        return self.all(**match)

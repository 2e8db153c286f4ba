"""ISO 8601 durations of days and smaller parts, as Graph's policies and our profiles use them."""

import re
from datetime import timedelta

_FORM = re.compile(
    r"P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII
)


def parse_duration(text: str) -> timedelta:
    """Read ``P180D`` or ``PT1H30M``, hours not dropped; raises ValueError for anything else.

    Years and months are refused: they have no fixed length.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as P180D or PT12H")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than any calendar") from error

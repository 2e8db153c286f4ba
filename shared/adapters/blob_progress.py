"""How far each source of a run is, kept in parts.

Who searches all groups of a large tenant has a hundred thousand sources, some 17 MB of text. They
are settled in their order, so a checkpoint writes the one or two parts in which something changed.
"""

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from shared.model.scan import SourceProgress

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

PART = 1000
"""Sources of a part; as many as that need none, and stand in the document itself."""

AT_ONCE = 8

Sources = tuple[SourceProgress, ...]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Sources)


class SourceParts:
    """The parts as they were last written."""

    def __init__(
        self, container: "ContainerClient", folder: str, names: Sequence[str], kept: Sources
    ) -> None:
        self._container, self._folder = container, folder
        self._parts = list(zip(names, _parted(kept), strict=True)) if names else []

    async def keep(self, sources: Sources) -> tuple[str, ...]:
        """Write what differs; answers the names of all parts, in the order of their sources.

        A part that is replaced stays until the run is over: the checkpoint before names it.
        """
        if len(sources) <= PART:
            return ()
        fresh = _parted(sources)
        known = [*self._parts, *[("", ())] * (len(fresh) - len(self._parts))]
        changed = [at for at, part in enumerate(fresh) if part != known[at][1]]
        names = dict(enumerate(name for name, _ in known))
        for start in range(0, len(changed), AT_ONCE):
            some = changed[start : start + AT_ONCE]
            written = await asyncio.gather(*(self._write(at, fresh[at]) for at in some))
            names |= zip(some, written, strict=True)
        self._parts = [(names[at], part) for at, part in enumerate(fresh)]
        return tuple(name for name, _ in self._parts)

    async def _write(self, number: int, sources: Sources) -> str:
        import zstandard

        name = f"{self._folder}sources-{number:06d}-{uuid.uuid4().hex[:12]}"
        packed = zstandard.compress(_encoder.encode(sources), level=1)
        await self._container.get_blob_client(name).upload_blob(packed, overwrite=True)
        return name


async def read_parts(container: "ContainerClient", names: Sequence[str]) -> Sources:
    """All sources, in their order."""
    found: list[SourceProgress] = []
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for part in await asyncio.gather(*(_read(container, name) for name in some)):
            found += part
    return tuple(found)


async def _read(container: "ContainerClient", name: str) -> Sources:
    import zstandard

    stream = await container.get_blob_client(name).download_blob()
    packed: Any = await stream.readall()
    return _decoder.decode(zstandard.decompress(packed))


def _parted(sources: Sources) -> list[Sources]:
    return [sources[start : start + PART] for start in range(0, len(sources), PART)]

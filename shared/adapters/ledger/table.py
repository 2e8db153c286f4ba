"""One table: each call is one round trip, and its answer says what a caller decides on."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from shared.adapters.ledger.errors import storage_errors

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

LONGEST_KEY = 250
"""Characters; the service allows 1 KiB, of which a row key may need more parts than one name."""

Columns = Mapping[str, Any]


class Row(NamedTuple):
    """A row as read; the tag names this version of it."""

    columns: dict[str, Any]
    tag: str


class Change(NamedTuple):
    """One part of a transaction; with a tag, only while the row is of that version."""

    how: str  # create | update | upsert | delete
    columns: Columns
    tag: str = ""


class Table:
    """A table whose keys are already fit to be keys (see `key`)."""

    def __init__(self, client: "TableClient") -> None:
        self._client = client

    async def get(self, partition: str, row: str) -> Row | None:
        from azure.core.exceptions import ResourceNotFoundError

        with storage_errors(self._doing("reading")):
            try:
                found = await self._client.get_entity(partition, row)
            except ResourceNotFoundError:
                return None
        return Row(dict(found), str(found.metadata["etag"]))

    async def query(
        self, wanted: str, parameters: Mapping[str, str], *, page: int | None = None
    ) -> AsyncIterator[Row]:
        """Rows in the order of their keys, page by page as the caller goes on."""
        with storage_errors(self._doing("listing")):
            async for found in self._client.query_entities(
                wanted, parameters=dict(parameters), results_per_page=page
            ):
                yield Row(dict(found), str(found.metadata["etag"]))

    async def insert(self, partition: str, row: str, columns: Columns) -> str | None:
        """The new row's tag; None when there is a row of that key."""
        from azure.core.exceptions import ResourceExistsError

        with storage_errors(self._doing("writing")):
            try:
                made = await self._client.create_entity(_entity(partition, row, columns))
            except ResourceExistsError:
                return None
        return str(made["etag"])

    async def merge(
        self, partition: str, row: str, columns: Columns, *, tag: str = ""
    ) -> str | None:
        """Set these columns and leave the others alone; the row's new tag.

        None when the row is gone, or is not of version *tag* any more.
        """
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        with storage_errors(self._doing("writing")):
            try:
                made = await self._client.update_entity(
                    _entity(partition, row, columns), mode="merge", **_condition(tag)
                )
            except (ResourceModifiedError, ResourceNotFoundError):
                return None
        return str(made["etag"])

    async def exchange(self, partition: str, row: str, columns: Columns, *, tag: str) -> bool:
        """Store the row in place of version *tag*; False when there is another one now."""
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        with storage_errors(self._doing("writing")):
            try:
                await self._client.update_entity(
                    _entity(partition, row, columns), mode="replace", **_condition(tag)
                )
            except (ResourceModifiedError, ResourceNotFoundError):
                return False
        return True

    async def delete(self, partition: str, row: str) -> None:
        """Remove the row; one that is gone already is success."""
        with storage_errors(self._doing("deleting from")):
            await self._client.delete_entity(partition, row)

    async def transact(self, partition: str, changes: Sequence[tuple[str, Change]]) -> bool:
        """Make all the changes or none; False when a condition of one of them fails."""
        from azure.data.tables import TableTransactionError

        with storage_errors(self._doing("writing")):
            try:
                await self._client.submit_transaction(
                    [
                        (c.how, _entity(partition, row, c.columns), _condition(c.tag))
                        for row, c in changes
                    ]
                )
            except TableTransactionError as error:
                if error.status_code in (404, 409, 412):
                    return False
                raise
        return True

    def _doing(self, verb: str) -> str:
        return f"{verb} table {self._client.table_name}"


def _entity(partition: str, row: str, columns: Columns) -> dict[str, Any]:
    return {**columns, "PartitionKey": partition, "RowKey": row}


def _condition(tag: str) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {"etag": tag, "match_condition": MatchConditions.IfNotModified} if tag else {}


def key(text: str) -> str:
    r"""A name or id as part of a key, where ``/ \ # ?`` and control characters are forbidden.

    Percent-encoding with ``=`` for the sign, as a percent sign in a key troubles some clients.
    """
    encoded = quote(text, safe="").replace("%", "=")
    if len(encoded) <= LONGEST_KEY:
        return encoded
    # No encoded text has "=" before a small letter, so none looks like this.
    return f"=sha256.{hashlib.sha256(text.encode()).hexdigest()}"

"""The table of operations: what is called how, and which permission it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.keyvault import backup, deleted, secrets
from emulators.keyvault.call import Call
from emulators.keyvault.rbac import GET, PREFIX
from emulators.keyvault.vault import Vault

Handler = Callable[[Vault, Call], dict[str, Any] | None]


@dataclass(frozen=True)
class Operation:
    """One operation of the REST reference."""

    name: str
    method: str
    paths: tuple[str, ...]
    action: str
    run: Handler


ONE = ("/secrets/{name}", "/secrets/{name}/")
VERSION = (*ONE, "/secrets/{name}/{version}")
GONE = ("/deletedsecrets/{name}", "/deletedsecrets/{name}/")
LIST = PREFIX + "readMetadata/action"

# Order matters: "versions" must be found before it is taken for a version.
OPERATIONS = (
    Operation("list", "GET", ("/secrets", "/secrets/"), LIST, secrets.list_secrets),
    Operation("versions", "GET", ("/secrets/{name}/versions",), LIST, secrets.list_versions),
    Operation("get", "GET", VERSION, GET, secrets.get_secret),
    Operation("set", "PUT", ONE, PREFIX + "setSecret/action", secrets.set_secret),
    Operation("update", "PATCH", VERSION, PREFIX + "update/action", secrets.update_secret),
    Operation("delete", "DELETE", ONE, PREFIX + "delete", deleted.delete_secret),
    Operation(
        "list-deleted",
        "GET",
        ("/deletedsecrets", "/deletedsecrets/"),
        LIST,
        deleted.list_deleted,
    ),
    Operation("get-deleted", "GET", GONE, LIST, deleted.get_deleted),
    Operation("purge", "DELETE", GONE, PREFIX + "purge/action", deleted.purge_secret),
    Operation(
        "recover",
        "POST",
        ("/deletedsecrets/{name}/recover",),
        PREFIX + "recover/action",
        deleted.recover_secret,
    ),
    Operation(
        "restore",
        "POST",
        ("/secrets/restore",),
        PREFIX + "restore/action",
        backup.restore_secret,
    ),
    Operation(
        "backup",
        "POST",
        ("/secrets/{name}/backup",),
        PREFIX + "backup/action",
        backup.backup_secret,
    ),
)

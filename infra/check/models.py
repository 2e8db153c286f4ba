"""Shapes of resource bodies, read from the models of the azure-mgmt packages."""
# ruff: noqa: SLF001 - the names on the wire stand only in private attributes of the models

import importlib
import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

# Resource type -> module and class.
MODELS = {
    "Microsoft.Authorization/roleAssignments": ("authorization", "RoleAssignment"),
    "Microsoft.EventGrid/systemTopics": ("eventgrid", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": ("eventgrid", "EventSubscription"),
    "Microsoft.Insights/actionGroups": ("monitor", "ActionGroupResource"),
    "Microsoft.Insights/components": ("applicationinsights", "ApplicationInsightsComponent"),
    "Microsoft.Insights/metricAlerts": ("monitor", "MetricAlertResource"),
    "Microsoft.Insights/scheduledQueryRules": ("monitor", "ScheduledQueryRuleResource"),
    "Microsoft.Insights/workbooks": ("applicationinsights", "Workbook"),
    "Microsoft.KeyVault/vaults": ("keyvault", "Vault"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("msi", "Identity"),
    "Microsoft.Network/networkSecurityGroups": ("network", "NetworkSecurityGroup"),
    "Microsoft.Network/privateDnsZones": ("privatedns", "PrivateZone"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("privatedns", "VirtualNetworkLink"),
    "Microsoft.Network/privateEndpoints": ("network", "PrivateEndpoint"),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("network", "PrivateDnsZoneGroup"),
    "Microsoft.Network/virtualNetworks": ("network", "VirtualNetwork"),
    "Microsoft.Network/virtualNetworks/subnets": ("network", "Subnet"),
    "Microsoft.OperationalInsights/workspaces": ("loganalytics", "Workspace"),
    "Microsoft.ServiceBus/namespaces": ("servicebus", "SBNamespace"),
    "Microsoft.ServiceBus/namespaces/networkRuleSets": ("servicebus", "NetworkRuleSet"),
    "Microsoft.ServiceBus/namespaces/queues": ("servicebus", "SBQueue"),
    "Microsoft.ServiceBus/namespaces/topics": ("servicebus", "SBTopic"),
    "Microsoft.ServiceBus/namespaces/topics/subscriptions": ("servicebus", "SBSubscription"),
    "Microsoft.Storage/storageAccounts": ("storage", "StorageAccount"),
    "Microsoft.Storage/storageAccounts/blobServices": ("storage", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("storage", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/tableServices": ("storage", "TableServiceProperties"),
    "Microsoft.Storage/storageAccounts/tableServices/tables": ("storage", "Table"),
    "Microsoft.Web/serverfarms": ("web", "AppServicePlan"),
    "Microsoft.Web/sites": ("web", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (
        "web",
        "CsmPublishingCredentialsPoliciesEntity",
    ),
    "Microsoft.Web/sites/config": ("web", "StringDictionary"),
    # The type has a body of its own for each name.
    "Microsoft.Web/sites/config/authsettingsV2": ("web", "SiteAuthSettingsV2"),
}
# What Bicep allows besides the model.
TOP = ["name", "scope", "parent", "dependsOn", "kind", "sku", "tags", "location", "identity", "id"]

Shape = Mapping[str, Any]  # name -> Shape or Model, or None where anything goes

# Types without a model in these packages.
WRITTEN: dict[str, Shape] = {
    "Microsoft.Resources/resourceGroups": {},
    "Microsoft.Insights/diagnosticSettings": {
        "properties": {
            "workspaceId": None,
            "logs": {"category": None, "categoryGroup": None, "enabled": None},
            "metrics": {"category": None, "enabled": None},
        }
    },
}


class Model:
    """A model class of either generation, read when it is first looked into."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind

    def shape(self, discriminators: Mapping[str, str]) -> Shape:
        """Return the fields, those of the subtype where the body says which it is."""
        kind = self._subtype(discriminators)
        if getattr(kind, "_attribute_map", None):
            return _flattened(kind)
        fields: dict[str, Any] = {}
        for owner in reversed(kind.__mro__):
            types = inspect.get_annotations(owner)
            for name, described in vars(owner).items():
                if hasattr(described, "_rest_name_input"):
                    fields[described._rest_name_input or name] = _model(kind, str(types.get(name)))
        return fields

    def _subtype(self, discriminators: Mapping[str, str]) -> Any:
        for attribute, names in (getattr(self.kind, "_subtype_map", None) or {}).items():
            key = self.kind._attribute_map[attribute]["key"].replace("\\.", ".")
            chosen = names.get(discriminators.get(key))
            if chosen is not None:
                return getattr(_package(self.kind), chosen)
        return self.kind


@cache
def resource(type_name: str) -> Shape | None:
    """Return the shape of a resource body; None for an unknown type."""
    fields: dict[str, Any] = dict.fromkeys(TOP)
    if type_name in WRITTEN:
        return fields | dict(WRITTEN[type_name])
    if type_name not in MODELS:
        return None
    package, name = MODELS[type_name]
    module = importlib.import_module(f"azure.mgmt.{package}.models")
    return dict(Model(getattr(module, name)).shape({})) | fields


def missing() -> list[str]:
    """Return the packages that are not installed."""
    needed = sorted({package for package, _ in MODELS.values()})
    return [f"azure-mgmt-{name}" for name in needed if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        importlib.import_module(f"azure.mgmt.{name}")
    except ModuleNotFoundError:
        return False
    return True


def _flattened(kind: Any) -> Shape:
    """Older models flatten: a key is then a path such as `properties.source`."""
    fields: dict[str, Any] = {}
    for described in kind._attribute_map.values():
        *parents, name = described["key"].replace("\\.", "\0").split(".")
        inner = fields
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name.replace("\0", ".")] = _model(kind, described["type"])
    return fields


def _model(kind: Any, described: str) -> Model | None:
    """Return the model that a type description names; None for plain values and dictionaries."""
    if re.search(r"\b[Dd]ict\[|^\{", described):
        return None
    for name in re.findall(r"\w+", described):
        found = getattr(_package(kind), name, None)
        if isinstance(found, type) and (
            hasattr(found, "_attribute_map") or getattr(found, "_is_model", False)
        ):
            return Model(found)
    return None


def _package(kind: Any) -> Any:
    return importlib.import_module(kind.__module__.rpartition(".")[0])

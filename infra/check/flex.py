"""What a Flex Consumption app refuses or ignores."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import Repository

# Microsoft's page "App settings reference", section "Flex Consumption plan deprecations".
SETTINGS = frozenset(
    """
    ENABLE_ORYX_BUILD FUNCTIONS_EXTENSION_VERSION FUNCTIONS_MAX_HTTP_CONCURRENCY
    FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED FUNCTIONS_WORKER_PROCESS_COUNT
    FUNCTIONS_WORKER_RUNTIME FUNCTIONS_WORKER_RUNTIME_VERSION SCM_DO_BUILD_DURING_DEPLOYMENT
    WEBSITE_CONTENTAZUREFILECONNECTIONSTRING WEBSITE_CONTENTOVERVNET WEBSITE_CONTENTSHARE
    WEBSITE_DNS_SERVER WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT WEBSITE_NODE_DEFAULT_VERSION
    WEBSITE_RUN_FROM_PACKAGE WEBSITE_SKIP_CONTENTSHARE_VALIDATION WEBSITE_VNET_ROUTE_ALL
    """.split()  # noqa: SIM905 - a page of words, read as words
)
PROPERTIES = frozenset(
    """
    containerSize ftpsState functionAppScaleLimit javaVersion linuxFxVersion netFrameworkVersion
    powerShellVersion preWarmedInstanceCount use32BitWorkerProcess vnetContentShareEnabled
    vnetRouteAllEnabled windowsFxVersion
    """.split()  # noqa: SIM905 - a page of words, read as words
)


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        for node in tree.walk(file.root):
            name = _name(node)
            if name is not None and name.upper() in SETTINGS:
                message = f"{name} must not be set on Flex Consumption"
                yield Finding(file.path, tree.line(node), "flex-setting", message)
        for resource in file.of("resource"):
            if resource.type != "Microsoft.Web/sites":
                continue
            for node in tree.walk(resource.body):
                if node.type == "object_property" and tree.key(node) in PROPERTIES:
                    message = f"{tree.key(node)} does not exist on Flex Consumption"
                    yield Finding(file.path, tree.line(node), "flex-setting", message)


def _name(node: tree.Node) -> str | None:
    """Return the text of a property key, or of a string (settings may be a list of name, value)."""
    if node.type == "object_property" and node.children[0].type == "identifier":
        return tree.key(node)
    return tree.text(node) if node.type == "string_content" else None

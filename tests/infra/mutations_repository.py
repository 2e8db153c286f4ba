"""Mistakes in what stands beside Bicep: queries, topology, parameters, azure.yaml, workflows."""

from tests.infra.mutation import Mutation
from tests.infra.mutations import PARAMETERS, QUEUES

QUERY_ALERTS = "infra/modules/query-alerts.bicep"
METRIC_ALERTS = "infra/modules/metric-alerts.bicep"
QUERIES = "infra/queries"
EXPIRING = f"{QUERIES}/credential-expiring.kql"
EMULATOR = "infra/servicebus-emulator.json"
AZD = "azure.yaml"
CI = ".github/workflows/ci.yml"
DEPLOY = ".github/workflows/deploy.yml"
HOOK = "hooks:\n  postprovision:\n    run: python -m deploy.permission\nservices:"
RUN = "      - run: make test\n"
LOGIN = f"      - uses: azure/login@{'0' * 40}\n        with:\n          creds: x\n{RUN}"

TELEMETRY_MUTATIONS = [
    Mutation("metric-renamed", "telemetry-name", EXPIRING, "nearest_expiry", "days_to_expiry"),
    Mutation(
        "metric-renamed-in-code",
        "telemetry-name",
        "infra/telemetry.json",
        "keyturn.sweeps",
        "sweeps",
        f"{QUERIES}/sweeps-silent.kql",
    ),
    Mutation(
        "attribute-typo", "telemetry-name", EXPIRING, "Properties.connection", "Properties.name"
    ),
    Mutation(
        "outcome-that-nothing-has",
        "telemetry-name",
        f"{QUERIES}/sweeps-silent.kql",
        '"partial"',
        '"partially"',
    ),
    Mutation("classic-table", "telemetry-name", EXPIRING, "AppMetrics", "AppCustomMetrics"),
    Mutation("brackets", "telemetry-name", EXPIRING, "tostring(Prop", "tostring((Prop"),
    Mutation(
        "threshold-not-put-in",
        "telemetry-name",
        QUERY_ALERTS,
        "'{credentialWarningDays}'",
        "'{days}'",
        EXPIRING,
    ),
    Mutation(
        "platform-metric",
        "telemetry-name",
        METRIC_ALERTS,
        "DeadletteredMessages",
        "DeadLetteredMessages",
    ),
    Mutation(
        "alert-calls-nobody",
        "alert-action",
        METRIC_ALERTS,
        "    actions: [for id in actionGroups: { actionGroupId: id }]\n",
        "",
    ),
    Mutation(
        "alert-lost",
        "alert-missing",
        QUERY_ALERTS,
        "loadTextContent('../queries/sweeps-silent.kql')",
        "loadTextContent('../queries/poison-rate.kql')",
        QUERIES,
    ),
    Mutation(
        "query-not-used",
        "query",
        "infra/modules/workbook.bicep",
        "queries/dead-letters.kql",
        "queries/sweeps.kql",
        f"{QUERIES}/dead-letters.kql",
    ),
]

REPOSITORY_MUTATIONS = [
    Mutation("emulator-lock", "emulator", EMULATOR, '"PT20S"', '"PT60S"'),
    Mutation(
        "emulator-sessions",
        "emulator",
        EMULATOR,
        '"RequiresSession": true',
        '"RequiresSession": false',
    ),
    Mutation("queue-only-in-azure", "emulator", EMULATOR, '"Name": "broker"', '"Name": "brokers"'),
    Mutation(
        "deliveries-differ",
        "emulator",
        QUEUES,
        '"maxDeliveryCount": 5',
        '"maxDeliveryCount": 10',
        EMULATOR,
    ),
    Mutation("other-default", "parameter-entry", PARAMETERS, "ONLY_ACCESS=off", "ONLY_ACCESS=on"),
    Mutation(
        "not-substituted", "parameter-entry", PARAMETERS, "${AZURE_LOCATION}", "$(AZURE_LOCATION)"
    ),
    Mutation("hook-that-is-none", "azd-hook", AZD, "services:", HOOK.replace("post", "after-")),
    Mutation(
        "hook-file-missing",
        "azd-hook",
        AZD,
        "services:",
        HOOK.replace("python -m deploy.permission", "./scripts/grant.sh"),
    ),
    Mutation("hook-module-missing", "azd-hook", AZD, "services:", HOOK),
    Mutation(
        "hook-target-missing",
        "azd-hook",
        AZD,
        "services:",
        HOOK.replace("python -m deploy.permission", "make pack"),
    ),
    Mutation("service-folder", "azd-service", AZD, "project: ", "project: ./app/"),
    Mutation("service-host", "azd-service", AZD, "host: function", "host: appservice"),
    # workflows
    Mutation("not-yaml", "workflow-syntax", CI, "jobs:\n", "jobs:\n\t- x\n"),
    Mutation(
        "tag-instead-of-commit", "workflow-pin", CI, "actions/checkout@", "actions/checkout@v5 # "
    ),
    Mutation("rights-by-default", "workflow-permissions", CI, "permissions: {}\n", ""),
    Mutation("all-rights", "workflow-permissions", CI, "permissions: {}", "permissions: write-all"),
    Mutation("may-write-code", "workflow-permissions", CI, "contents: read", "contents: write"),
    Mutation("strangers-code", "workflow-trigger", CI, "  pull_request:", "  pull_request_target:"),
    Mutation("signs-in-for-strangers", "workflow-trigger", CI, "contents: read", "id-token: write"),
    Mutation("no-environment", "workflow-environment", CI, "contents: read", "id-token: write"),
    Mutation("no-limit", "workflow-timeout", CI, "    timeout-minutes", "    timeout"),
    Mutation("token-left", "workflow-checkout", CI, "persist-credentials: false", "fetch-depth: 1"),
    Mutation(
        "stored-secret",
        "workflow-secret",
        CI,
        RUN,
        f"{RUN}        env:\n          PASSWORD: ${{{{ secrets.AZURE_CREDENTIALS }}}}\n",
    ),
    Mutation("login-with-secret", "workflow-secret", CI, RUN, LOGIN),
    Mutation(
        "title-in-script", "workflow-injection", CI, "make test", "echo ${{ github.head_ref }}"
    ),
    Mutation(
        "deploys-for-anyone",
        "workflow-environment",
        DEPLOY,
        "    environment: ${{",
        "    name: ${{",
    ),
    Mutation(
        "cannot-sign-in", "workflow-secret", DEPLOY, "      id-token: write", "      actions: read"
    ),
    Mutation(
        "input-in-script",
        "workflow-injection",
        DEPLOY,
        "run: azd provision",
        "run: azd provision -e ${{ inputs.environment }}",
    ),
    Mutation("package-not-built", "azd-service", AZD, "  prepackage:", "  prerestore:"),
    Mutation("no-such-target", "workflow-command", CI, "make check", "make verify"),
    Mutation("no-such-module", "workflow-command", CI, "make check", "python -m infra.checks"),
]

"""Names that Bicep knows by itself (Microsoft's page "Bicep functions")."""

FUNCTIONS = frozenset(
    """
    any array base64 base64ToJson base64ToString bool cidrHost cidrSubnet coalesce concat contains
    dataUri dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment
    empty endsWith environment extensionResourceId externalInput fail filter first flatten format
    getSecret groupBy guid indexFromEnd indexOf int intersection items join json last lastIndexOf
    length list listAccountSas listKeys listSecrets loadDirectoryFileInfo loadFileAsBase64
    loadJsonContent loadTextContent loadYamlContent managementGroup managementGroupResourceId map
    mapValues max min newGuid objectKeys padLeft parseCidr parseUri pickZones providers range
    readEnvironmentVariable reduce reference replace resourceGroup resourceId shallowMerge skip
    sort split startsWith string subscription subscriptionResourceId substring tail take tenant
    tenantResourceId this toLogicalZone toLogicalZones toLower toObject toPhysicalZone
    toPhysicalZones toUpper trim tryGet union uniqueString uri uriComponent uriComponentToString
    utcNow
    """.split()  # noqa: SIM905 - a page of words, read as words
)

NAMESPACES = frozenset({"az", "sys"})

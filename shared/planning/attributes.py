"""Attributes of users that an export may select.

Source: Graph v1.0, "user resource type" and "List users", which names the properties that are
"only supported when retrieving a single user"; a list that selects one answers 501.
"""

from collections.abc import Iterable

from shared.errors import NeedsHuman

MOST = 20
"""Attributes of one selection: Graph takes longer lists for many requests in one."""

ONLY_SINGLE = frozenset(
    "aboutMe birthday hireDate interests mailboxSettings mySite pastProjects preferredName "  # noqa: SIM905 - a table
    "responsibilities schools skills".split()
)

LISTABLE = frozenset(
    "ageGroup businessPhones city companyName consentProvidedForMinor country createdDateTime "  # noqa: SIM905 - a table
    "creationType department employeeHireDate employeeId employeeOrgData employeeType "
    "externalUserState externalUserStateChangeDateTime faxNumber givenName imAddresses jobTitle "
    "lastPasswordChangeDateTime legalAgeGroupClassification mailNickname mobilePhone "
    "officeLocation onPremisesDistinguishedName onPremisesDomainName "
    "onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime "
    "onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled "
    "onPremisesUserPrincipalName otherMails passwordPolicies postalCode preferredDataLocation "
    "preferredLanguage proxyAddresses securityIdentifier showInAddressList state streetAddress "
    "surname usageLocation".split()
)
"""Read with every list and tracked by delta queries; the names of `Account` come anyway."""

ALWAYS = frozenset(("id", "userPrincipalName", "displayName", "accountEnabled", "userType", "mail"))


def check_attributes(names: Iterable[str]) -> None:
    """Raise `NeedsHuman` before anything is read when a name cannot be listed (N-23)."""
    given = tuple(names)
    single = sorted(ONLY_SINGLE.intersection(given))
    if single:
        raise NeedsHuman(
            "ATTRIBUTE_NOT_LISTABLE",
            f"Graph returns {', '.join(single)} only when one user is fetched, so an export "
            "cannot have it.",
            "Remove it from the attributes, then send the request again.",
        )
    unknown = [name for name in given if name not in LISTABLE and name not in ALWAYS]
    if unknown:
        raise NeedsHuman(
            "INPUT_INVALID",
            f"{', '.join(unknown)} is no attribute of users that can be exported.",
            f"Use Graph's names, with their case: {', '.join(sorted(LISTABLE))}.",
        )
    if len(given) > MOST:
        raise NeedsHuman(
            "INPUT_INVALID",
            f"{len(given)} attributes are too many for one selection.",
            f"Select up to {MOST} attributes.",
        )

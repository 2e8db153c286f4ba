"""Calls about the application itself, and its catalogue."""

from functions.http.call import Call, late
from shared.model.caller import Role

CALLS: tuple[Call, ...] = (
    Call(
        name="list_profiles",
        method="GET",
        path="profiles",
        role=Role.READER,
        handle=late("profiles.list_profiles"),
        about="List the profiles: features, permissions and their risk",
        tag="profiles",
        answers={200: "ProfileList"},
    ),
    Call(
        name="show_profile",
        method="GET",
        path="profiles/{profile}",
        role=Role.READER,
        handle=late("profiles.show_profile"),
        about="Show a profile with the inputs that a request must give",
        tag="profiles",
        answers={200: "ProfileView"},
        faults=(404,),
    ),
    Call(
        name="health",
        method="GET",
        path="health",
        role=Role.READER,
        handle=late("health.check_health"),
        about="Tell whether the application and its dependencies work",
        tag="about",
        answers={200: "Health", 503: "Health"},
    ),
    Call(
        name="describe_api",
        method="GET",
        path="openapi.json",
        role=Role.READER,
        handle=late("openapi.describe_api"),
        about="Describe this API",
        tag="about",
        answers={200: ""},
    ),
)

"""Query options and headers for the SDK's request builders."""

from typing import Any

PLACE = "PLACE"
"""Of an id in the address of a request that is made once for many ids."""


def query(builder: Any, **options: Any) -> Any:
    """Configuration with the builder's own query parameters, such as ``select=[...]``."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    parameters = next(
        value for name, value in vars(type(builder)).items() if name.endswith("GetQueryParameters")
    )
    return RequestConfiguration(query_parameters=parameters(**options))


def create_if_missing() -> Any:
    """Makes a PATCH by alternate key an upsert."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    configuration: Any = RequestConfiguration()
    configuration.headers.add("Prefer", "create-if-missing")
    return configuration

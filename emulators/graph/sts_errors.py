"""Refusals of the token endpoint, in its own envelope."""

from datetime import datetime
from typing import Any


class TokenError(Exception):
    """One AADSTS error."""

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.code, self.text = status, error, code, text

    def body(self, now: datetime, trace: str, correlation: str) -> dict[str, Any]:
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def wrong_secret(app_id: str) -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the "
        "client secret value, not the client secret ID, for a secret added to app "
        f"'{app_id}'.",
    )


def expired_secret(app_id: str) -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        7000222,
        f"The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal "
        "to create new keys for your app: https://aka.ms/NewClientSecret, or consider using "
        "certificate credentials for added security: https://aka.ms/certCreds.",
    )


def unknown_application(app_id: str, tenant: str) -> TokenError:
    return TokenError(
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{app_id}' was not found in the directory '{tenant}'. This "
        "can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant. You may have sent your "
        "authentication request to the wrong tenant.",
    )


def nonsense_application(app_id: str) -> TokenError:
    return TokenError(
        400, "unauthorized_client", 700038, f"{app_id} is not a valid application identifier."
    )


def unknown_resource(resource: str, tenant: str) -> TokenError:
    return TokenError(
        400,
        "invalid_resource",
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant}. "
        "This can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant. You might have sent your "
        "authentication request to the wrong tenant.",
    )


def unknown_tenant(tenant: str, *, guid: bool) -> TokenError:
    if guid:
        text = (
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and "
            "are signing into the correct cloud. Check with your subscription administrator, "
            "this may happen if there are no active subscriptions for the tenant."
        )
        return TokenError(400, "invalid_request", 90002, text)
    text = (
        f"Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid "
        "external domain."
    )
    return TokenError(400, "invalid_request", 900023, text)


def missing_parameter(name: str) -> TokenError:
    text = f"The request body must contain the following parameter: '{name}'."
    return TokenError(400, "invalid_request", 900144, text)


def missing_credential() -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type.",
    )


def disabled_application(app_id: str, name: str) -> TokenError:
    return TokenError(
        400, "unauthorized_client", 7000112, f"Application '{app_id}'({name}) is disabled."
    )


def missing_principal(app_id: str, tenant: str) -> TokenError:
    return TokenError(
        401,
        "unauthorized_client",
        7000229,
        f"The client application {app_id} is missing service principal in the tenant {tenant}. "
        "See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
    )


def _where(app_id: str) -> str:
    return (
        "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured "
        f"keys for app Id '{app_id}'. Review the documentation at "
        "https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding "
        "service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?"
        "view=graph-rest-1.0&tabs=http to build a query request URL, such as "
        f"'https://graph.microsoft.com/beta/applications/{app_id}']."
    )


def unregistered_certificate(thumbprint: str, app_id: str) -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application. [Reason - The key was not found., Thumbprint of key used by client: "
        f"'{thumbprint}', {_where(app_id)}",
    )


def expired_certificate(thumbprint: str, start: datetime, end: datetime, app_id: str) -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is expired on "
        "application. [Reason - The key used is expired., Thumbprint of key used by client: "
        f"'{thumbprint}', Found key 'Start={start:%m/%d/%Y %H:%M:%S}, "
        f"End={end:%m/%d/%Y %H:%M:%S}', {_where(app_id)}",
    )


def wrong_signature(thumbprint: str, app_id: str) -> TokenError:
    return TokenError(
        401,
        "invalid_client",
        700027,
        "Client assertion contains an invalid signature. [Reason - The provided signature value "
        "did not match the expected signature value., Thumbprint of key used by client: "
        f"'{thumbprint}', {_where(app_id)}",
    )


CERTIFICATES = (
    "Review the documentation at "
    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
)


def foreign_assertion() -> TokenError:
    text = "Client assertion application identifier doesn't match 'client_id' parameter."
    return TokenError(401, "invalid_client", 700021, f"{text} {CERTIFICATES}")


def wrong_audience() -> TokenError:
    text = "Client assertion audience claim does not match Realm issuer."
    return TokenError(401, "invalid_client", 700023, f"{text} {CERTIFICATES}")


def assertion_out_of_time(now: datetime, first: datetime, last: datetime) -> TokenError:
    shown = [moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in (now, first, last)]
    return TokenError(
        401,
        "invalid_client",
        700024,
        "Client assertion is not within its valid time range. Current time: "
        f"{shown[0]}, assertion valid from {shown[1]}, expiry time of assertion {shown[2]}. "
        f"{CERTIFICATES}",
    )


def bad_scope(scope: str) -> TokenError:
    return TokenError(
        400,
        "invalid_scope",
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI).",
    )


def bad_grant(grant: str) -> TokenError:
    text = f"The app requested an unsupported grant type '{grant}'."
    return TokenError(400, "unsupported_grant_type", 70003, text)

"""Refusals, in the form of the Visual Studio services."""

from aiohttp import web


class Refusal(Exception):
    """Ends a call with a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def response(self) -> web.Response:
        body = {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": "Microsoft.VisualStudio.Services.Common.VssServiceException",
            "typeKey": "VssServiceException",
            "errorCode": 0,
            "eventId": 3000,
        }
        return web.json_response(body, status=self.status)


def stranger(object_id: str) -> Refusal:
    """The caller is no user of the organisation."""
    text = f"TF400813: The user '{object_id}' is not authorized to access this resource."
    return Refusal(401, text)


def denied(object_id: str) -> Refusal:
    """A user without the right to manage members (text unconfirmed)."""
    text = f"Access Denied: {object_id} needs the permission to manage the organization's users."
    return Refusal(403, text)

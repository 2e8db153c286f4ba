"""Entry point of the Functions host."""

import azure.functions as func

import functions

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
functions.load(app)

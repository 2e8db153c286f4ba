"""The calls of the HTTP API: plain functions from a request to an answer."""

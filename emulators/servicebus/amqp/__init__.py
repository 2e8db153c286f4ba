"""AMQP 1.0, server side: codec, frames, and the connection, session and link endpoints."""

"""What stops the host from starting."""


class HostStartError(Exception):
    """The app, its settings or host.json break a rule; the message names each broken rule."""

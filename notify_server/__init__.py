"""Notify Server: a push-notification microservice that owns delivery from one payload to `read`."""

__version__ = "0.1.0"

"""Our kind of blueprint."""

from collections.abc import Callable
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema

from notify_server.api.auditing import audited
from notify_server.api.parsing import Parser


class Routes(Blueprint):  # type: ignore[misc] # flask-smorest ships no types
    """A blueprint whose arguments are read by our parser."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[..., Any]:
        """As in flask-smorest, but the schema is made once, not for each request."""
        decorate: Callable[..., Any] = super().arguments(schema(), **options)
        return decorate

    def response(self, *args: Any, **options: Any) -> Callable[..., Any]:
        """As in flask-smorest, and what the view changes is written down; the innermost decorator of a view."""
        decorate = super().response(*args, **options)
        return lambda view: decorate(audited(view))

"""Our kind of blueprint."""

from flask_smorest import Blueprint

from notify_server.api.parsing import Parser


class Routes(Blueprint):  # type: ignore[misc] # flask-smorest ships no types
    """A blueprint whose arguments are read by our parser."""

    ARGUMENTS_PARSER = Parser()

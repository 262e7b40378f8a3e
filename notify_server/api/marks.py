"""What every view says of itself, such as who may call it; an application in which one says nothing is not built."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from flask import Flask

Mark = TypeVar("Mark")
View = TypeVar("View", bound=Callable[..., Any])


class Marks(Generic[Mark]):
    """Marks of one kind, which a view keeps under the name `attribute`."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute

    def put(self, mark: Mark) -> Callable[[View], View]:
        """Mark a view."""

        def marked(view: View) -> View:
            setattr(view, self._attribute, mark)
            return view

        return marked

    def of(self, app: Flask, endpoint: str) -> Mark | None:
        """The mark of a registered view."""
        found: Mark | None = getattr(app.view_functions[endpoint], self._attribute, None)
        return found

    def require(self, app: Flask, complaint: str) -> None:
        """Raises LookupError, with the names of the views that have no mark after `complaint`."""
        bare = sorted(endpoint for endpoint in app.view_functions if self.of(app, endpoint) is None)
        if bare:
            raise LookupError(f"{complaint}: {', '.join(bare)}")

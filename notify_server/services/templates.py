"""Templates: written by admins, version by version, looked at, tried out, and rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from notify_server.domain import user_fields
from notify_server.domain.locales import lookup
from notify_server.domain.template import Content, Summary, Template
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.clock import Clock
from notify_server.services.keeping import Keeping
from notify_server.services.parsing import Parsed, parse
from notify_server.services.rendering import Rendered, render
from notify_server.services.variables import Variables
from notify_server.storage.templates import Head
from notify_server.storage.templates import Templates as Store

_KEPT = 2_000_000  # characters of sources; compiled each takes 10 to 16 bytes
_KEPT_LOOKED_AT = 200_000  # of older versions, which are only looked at: they must not drive out what is sent


@dataclass(frozen=True, slots=True)
class Preview:
    """A version as one reader gets it, and the locale that was found for them."""

    template: Template
    locale: str
    rendered: Rendered

    @property
    def parts(self) -> Mapping[str, str | None]:
        """What is shown, by part; names stand for fields of the user."""
        said, mail = self.rendered.texts.of(self.locale), self.rendered.mails.get(self.locale)
        parts = {"title": said.title, "body": said.body}
        parts |= {name: getattr(mail, name, None) for name in ("subject", "html", "text")}
        return {name: user_fields.legible(part) for name, part in parts.items()}


class Templates:
    """Versions are compiled once and kept: they never change. Safe for many threads."""

    def __init__(self, store: Store, variables: Variables, clock: Clock) -> None:
        self._store = store
        self._variables = variables
        self._clock = clock
        self._kept = Keeping[tuple[Template, Parsed]](_KEPT, _size)
        self._looked_at = Keeping[tuple[Template, Parsed]](_KEPT_LOOKED_AT, _size)

    def put(self, name: str, content: Content, pack: str | None = None) -> Template:
        """Write a new version. Raises InvalidInput naming locale, part and line of each fault."""
        faults = self._unfit_examples(content)
        try:
            parse(content)
        except InvalidInput as error:
            faults |= error.errors
        if faults:
            raise InvalidInput(faults)
        return self._store.add(name, content, pack, self._clock())

    def get(self, name: str, version: int | None = None) -> Template:
        """One version; None: the newest one. Raises NotFound."""
        return self._store.get(name, self._newest(name).version if version is None else version)

    def listed(self, after: str, limit: int) -> list[Summary]:
        """The newest versions of some templates, in order of their names, from the one after `after`."""
        return self._store.listed(after, limit)

    def versions(self, name: str, before: int | None, limit: int) -> list[Summary]:
        """Versions, newest first, from the one before `before`. Raises NotFound."""
        self._newest(name)
        return self._store.versions(name, before, limit)

    def preview(
        self, name: str, locale: str | None, given: Mapping[str, Any] | None, version: int | None = None
    ) -> Preview:
        """A version for a reader of `locale` (None: the default); without variables, with its examples.

        `version` None: the newest one. Raises NotFound, and InvalidInput as `render` does.
        """
        template, parsed = self._ready(name, version)
        content = template.content
        if given is None:
            given = {each: variable.example for each, variable in content.variables.items()}
        values = self._variables.read(content.variables, given)
        found = (locale and lookup(locale, content.locales)) or content.default_locale
        return Preview(template, found, render(template, parsed, values, mails=True, only=found))

    def render(self, name: str, given: Mapping[str, Any], *, mails: bool) -> tuple[Template, Rendered]:
        """The newest version in all its locales. Raises NotFound, InvalidInput naming variables and parts at fault."""
        template, parsed = self._ready(name)
        values = self._variables.read(template.content.variables, given)
        return template, render(template, parsed, values, mails=mails)

    def _newest(self, name: str) -> Head:
        newest = self._store.newest(name)
        if newest is None:
            raise NotFound(f"There is no template {name[:128]!r}.")
        return newest

    def _ready(self, name: str, version: int | None = None) -> tuple[Template, Parsed]:
        """A version compiled; None: the newest one."""
        newest = self._newest(name)
        if version is None or version == newest.version:
            return self._kept.get(newest.id, lambda: self._read(name, newest.version))
        return self._looked_at.get(f"{newest.id} {version}", lambda: self._read(name, version))

    def _read(self, name: str, version: int) -> tuple[Template, Parsed]:
        template = self._store.get(name, version)
        return template, parse(template.content)

    def _unfit_examples(self, content: Content) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, variable in content.variables.items():
            try:
                if variable.example is not None:
                    self._variables.value(variable, variable.example)
            except ValueError as error:
                found[f"variables.{name}.example"] = [str(error)]
        return found


def _size(kept: tuple[Template, Parsed]) -> int:
    """How many characters the sources of a version have, and as many as a small one has in any case."""
    content = kept[0].content
    return 1000 + sum(len(source) for each in content.locales.values() for _, source in each.parts())

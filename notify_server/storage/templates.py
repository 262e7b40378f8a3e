"""The collection `templates`: every version of every template. A version is written once and never changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.template import Content, Source, Summary, Template, Variable, VariableType
from notify_server.errors import NotFound
from notify_server.storage.database import translated
from notify_server.storage.documents import Document

_NEWEST_FIRST = [("name", ASCENDING), ("version", DESCENDING)]  # the index `by_name`
_SUMMED_UP = dict.fromkeys(("name", "version", "category", "default_locale", "tags", "created_at", "pack"), 1)


@dataclass(frozen=True, slots=True)
class Head:
    """The number of a version, and what no other version has: numbers come again where a database was restored."""

    version: int
    id: str


@translated
class Templates:
    """Reads and writes `templates`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["templates"]

    def add(self, name: str, content: Content, pack: str | None, now: datetime) -> Template:
        """Write the version that follows the newest one; two at once make two of them."""
        while True:
            newest = self.newest(name)
            template = Template(name, newest.version + 1 if newest else 1, content, now, pack)
            try:
                self._all.insert_one(_document(template))
            except DuplicateKeyError:
                continue
            return template

    def newest(self, name: str) -> Head | None:
        """Which version is the newest; None: there is no such template."""
        found = self._all.find_one({"name": name}, {"version": 1}, sort=_NEWEST_FIRST)
        return None if found is None else Head(found["version"], str(found["_id"]))

    def get(self, name: str, version: int) -> Template:
        """One version. Raises NotFound."""
        found = self._all.find_one({"name": name, "version": version})
        if found is None:
            raise NotFound(f"There is no version {version} of a template {name!r}.")
        return _template(found)

    def listed(self, after: str, limit: int) -> list[Summary]:
        """The newest versions of at most `limit` templates, in order of their names, from the one after `after`."""
        stages: list[Mapping[str, Any]] = [
            {"$match": {"name": {"$gt": after}}},
            {"$sort": dict(_NEWEST_FIRST)},
            {"$group": {"_id": "$name", "newest": {"$first": "$_id"}}},
            {"$sort": {"_id": ASCENDING}},
            {"$limit": limit},
        ]
        newest = [found["newest"] for found in self._all.aggregate(stages, hint="by_name")]
        found = self._all.find({"_id": {"$in": newest}}, _SUMMED_UP)
        return sorted(map(_summary, found), key=lambda summary: summary.name)

    def versions(self, name: str, before: int | None, limit: int) -> list[Summary]:
        """At most `limit` versions of a template, newest first, from the one before `before`."""
        conditions: Document = {"name": name} if before is None else {"name": name, "version": {"$lt": before}}
        found = self._all.find(conditions, _SUMMED_UP).sort(_NEWEST_FIRST).limit(limit)
        return [_summary(document) for document in found]


def _document(template: Template) -> Document:
    content = template.content
    return {
        "name": template.name,
        "version": template.version,
        "created_at": template.created_at,
        "pack": template.pack,
        "tags": sorted(content.locales),
        **asdict(content),
        "variables": {
            name: asdict(variable) | {"type": variable.type.value} for name, variable in content.variables.items()
        },
    }


def _template(document: Document) -> Template:
    variables = {
        name: Variable(VariableType(each["type"]), each["required"], each["example"])
        for name, each in document["variables"].items()
    }
    content = Content(
        default_locale=document["default_locale"],
        locales={locale: Source(**source) for locale, source in document["locales"].items()},
        variables=variables,
        category=document["category"],
        link=document["link"],
        image=document["image"],
        data=document["data"],
    )
    return Template(document["name"], document["version"], content, document["created_at"], document["pack"])


def _summary(document: Document) -> Summary:
    return Summary(
        name=document["name"],
        version=document["version"],
        category=document["category"],
        default_locale=document["default_locale"],
        locales=tuple(document["tags"]),
        created_at=document["created_at"],
        pack=document["pack"],
    )

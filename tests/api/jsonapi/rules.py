"""The rules of JSON:API 1.1 that a document can break by itself (https://jsonapi.org/format/1.1/)."""

import re
from collections.abc import Iterator
from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9\u0080-\uffff]([a-zA-Z0-9_ \u0080-\uffff-]*[a-zA-Z0-9\u0080-\uffff])?")
_REFERENCE = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*")  # RFC 3986: what stands in a URI-reference
_TOP = {"data", "errors", "meta", "jsonapi", "links", "included"}
_RESOURCE = {"type", "id", "attributes", "relationships", "links", "meta"}
_ERROR = {"id", "links", "status", "code", "title", "detail", "source", "meta"}
_PAGES = {"first", "last", "prev", "next"}


def violations(document: Any) -> list[str]:
    """What is wrong with a document of a server, in words."""
    return list(_document(document))


def _document(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "a document is an object"
        return
    yield from _members(document, _TOP, "top level")
    if not document.keys() & {"data", "errors", "meta"}:
        yield "one of data, errors, meta must be there"
    if {"data", "errors"} <= document.keys():
        yield "data and errors must not coexist"
    if "included" in document and "data" not in document:
        yield "included needs data"
    if "jsonapi" in document and document["jsonapi"] != {"version": "1.1"}:
        yield "jsonapi names another version"
    many = isinstance(document.get("data"), list)
    yield from _links(document.get("links", {}), {"self", "related", "describedby"} | (_PAGES if many else set()))
    yield from _errors(document.get("errors"))
    yield from _data(document)


def _data(document: dict[str, Any]) -> Iterator[str]:
    data = document.get("data")
    primary = data if isinstance(data, list) else [data] if data is not None else []
    included = document.get("included", [])
    if any(not isinstance(resource, dict) for resource in [*primary, *included]):
        yield "a resource is an object"
        return
    for resource in [*primary, *included]:
        yield from _resource(resource)
    objects = [one for one in primary if one.keys() - {"type", "id", "meta"}]  # the others are mere identifiers
    ids = [(resource.get("type"), resource.get("id")) for resource in [*objects, *included]]
    if len(set(ids)) < len(ids):
        yield "a resource is there twice"
    yield from (f"{other} is included and not linked" for other in ids[len(objects) :] if other not in _linked(primary))


def _linked(primary: list[dict[str, Any]]) -> set[tuple[Any, Any]]:
    """What relationships point to; a document of linkage points by its primary data."""
    related = [r.get("data") for one in primary for r in one.get("relationships", {}).values()]
    return {(found.get("type"), found.get("id")) for found in [*related, *primary] if found}


def _resource(resource: dict[str, Any]) -> Iterator[str]:
    yield from _members(resource, _RESOURCE, "resource")
    yield from _identity(resource)
    attributes, relationships = resource.get("attributes", {}), resource.get("relationships", {})
    fields = [*attributes, *relationships]
    if len(set(fields)) < len(fields) or {"type", "id"} & set(fields):
        yield "fields share one namespace, without type and id"
    yield from (f"not a member name: {name!r}" for name in fields if not _NAME.fullmatch(name))
    yield from _links(resource.get("links", {}), {"self"})
    for relationship in relationships.values():
        yield from _relationship(relationship)


def _relationship(relationship: dict[str, Any]) -> Iterator[str]:
    yield from _members(relationship, {"links", "data", "meta"}, "relationship")
    if not relationship:
        yield "a relationship must not be empty"
    links = relationship.get("links", {"self": ""})
    if not links.keys() & {"self", "related"}:
        yield "a relationship's links name itself or what is related"
    yield from _links(links, {"self", "related"})
    if relationship.get("data") is not None:
        yield from _members(relationship["data"], {"type", "id", "meta"}, "linkage")
        yield from _identity(relationship["data"])


def _identity(resource: dict[str, Any]) -> Iterator[str]:
    for name in ("type", "id"):
        if not isinstance(resource.get(name), str) or not resource[name]:
            yield f"{name} must be a string"


def _errors(errors: Any) -> Iterator[str]:
    if errors is None:
        return
    if not isinstance(errors, list) or not errors:
        yield "errors must be a list of errors"
        return
    for error in errors:
        yield from _members(error, _ERROR, "error")
        if not error or any(not isinstance(error.get(name, ""), str) for name in ("status", "code", "title", "detail")):
            yield "an error's members are strings"
        source = error.get("source", {})
        yield from _members(source, {"pointer", "parameter", "header"}, "source")
        if not re.fullmatch("(/([^~/]|~[01])*)*", source.get("pointer", "")):
            yield "a pointer is a JSON pointer (RFC 6901)"


def _links(links: Any, known: set[str]) -> Iterator[str]:
    yield from _members(links, known, "links")
    for link in links.values():
        if link is not None and not (isinstance(link, str) and _REFERENCE.fullmatch(link)):
            yield f"a link is a URI-reference or null: {link!r}"


def _members(found: dict[str, Any], known: set[str], where: str) -> Iterator[str]:
    yield from (f"{where}: there is no member {name!r}" for name in found.keys() - known)

"""The variables that come with a notification: held against what its template declares, and made ready to be shown."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notify_server.domain import text
from notify_server.domain.template import Variable, VariableType
from notify_server.errors import InvalidInput
from notify_server.services import links
from notify_server.services.formats import LARGEST
from notify_server.services.link_policy import LinkPolicy

MAX_SIZE = 32 * 1024  # bytes of all variables as JSON
MAX_STRING = 4096  # characters
MAX_ITEMS = 100  # of a list, and fields of each of its objects
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS = range(1970, 2100)
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Variables:
    """Checks values; those of type url may lead where links may."""

    policy: LinkPolicy

    def read(self, declared: Mapping[str, Variable], given: Mapping[str, Any]) -> dict[str, Any]:
        """A value for every declared name. Raises InvalidInput naming each variable at fault."""
        found, faults = self._read(declared, given)
        if not faults and len(_compact(given).encode()) > MAX_SIZE:
            faults["variables"] = [f"Must not have more than {MAX_SIZE} bytes as JSON."]
        if faults:
            raise InvalidInput(faults)
        return found

    def _read(
        self, declared: Mapping[str, Variable], given: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, list[str]]]:
        unknown = sorted(given.keys() - declared.keys())
        faults = {f"variables.{name}": ["The template declares no such variable."] for name in unknown}
        found: dict[str, Any] = {}
        for name, variable in declared.items():
            try:
                found[name] = self.value(variable, given.get(name))
            except ValueError as error:
                faults[f"variables.{name}"] = [str(error)]
        return found, faults

    def value(self, variable: Variable, given: Any) -> Any:
        """One value as a template gets it; None where it may be left out, and is. Raises ValueError."""
        if given is None:
            if variable.required:
                raise ValueError("Is missing.")
            return None
        if variable.type is VariableType.URL:
            return self._url(given)
        return _READERS[variable.type](given)

    def _url(self, given: Any) -> str:
        if not isinstance(given, str) or not 1 <= len(given) <= links.MAX_LINK:
            raise ValueError(f"Must be a URL of at most {links.MAX_LINK} characters.")
        url = links.normalised(text.nfc(given), frozenset())
        if fault := self.policy.fault(url):
            raise ValueError(fault)
        return url


def _string(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("Must be a string.")
    if len(given) > MAX_STRING:
        raise ValueError(f"Must not be longer than {MAX_STRING} characters.")
    normal = text.nfc(given)
    if fault := text.fault(normal, lines=True):
        raise ValueError(fault)
    return normal


def _integer(given: Any) -> int:
    if type(given) is not int or abs(given) > LARGEST:
        raise ValueError(f"Must be an integer between -{LARGEST} and {LARGEST}.")
    return given


def _number(given: Any) -> int | float:
    if type(given) not in {int, float} or not math.isfinite(given) or abs(given) > LARGEST:
        raise ValueError(f"Must be a number between -{LARGEST} and {LARGEST}.")
    number: int | float = given
    return number


def _boolean(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError("Must be true or false.")
    return given


def _datetime(given: Any) -> datetime:
    """A time with its own offset, in which it is shown."""
    try:
        if isinstance(given, str) and _INSTANT.fullmatch(given):
            found = datetime.fromisoformat(given.upper())
            if found.year in _YEARS:
                return found
    except ValueError:
        pass  # there is no such day or hour
    raise ValueError("Must be a time with an offset (RFC 3339), such as 2026-12-01T10:00:00+01:00.")


def _list(given: Any) -> list[Any]:
    if not isinstance(given, list) or len(given) > MAX_ITEMS:
        raise ValueError(f"Must be a list of at most {MAX_ITEMS} items.")
    return [_item(each) for each in given]


def _item(given: Any) -> Any:
    if isinstance(given, dict):
        if len(given) > MAX_ITEMS:
            raise ValueError(f"Items must not have more than {MAX_ITEMS} fields.")
        return {_string(key): _scalar(value) for key, value in given.items()}
    return _scalar(given)


def _scalar(given: Any) -> Any:
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, int | float):
        return _number(given)
    return _string(given)


_READERS: Mapping[VariableType, Callable[[Any], Any]] = {
    VariableType.STRING: _string,
    VariableType.INTEGER: _integer,
    VariableType.NUMBER: _number,
    VariableType.BOOLEAN: _boolean,
    VariableType.DATETIME: _datetime,
    VariableType.LIST: _list,
}

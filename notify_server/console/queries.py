"""What a page is asked for in its address: read field by field, with what is wrong named beside each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from notify_server.api import paging
from notify_server.api.parsing import by_path
from notify_server.api.schemas.fields import Id, Locale, TimeZone
from notify_server.domain.notification import State
from notify_server.domain.periods import day_start
from notify_server.domain.registry import Status
from notify_server.errors import InvalidInput

PAGE = 50  # rows
_MAIL = re.compile("[0-9a-f]{40}")
DAYS = (7, 30, 90, 365)
_NUMBER = validate.Range(1, 10**9)  # of a version
_YEARS = validate.Range(date(1970, 1, 1), date(2099, 12, 31), error="Must lie between 1970 and 2099.")


class DaysSchema(Schema):
    """From which day to which; days are those of UTC, both included."""

    from_ = fields.Date(data_key="from", attribute="from", validate=_YEARS)
    to = fields.Date(validate=_YEARS)


class NotificationsSchema(DaysSchema):
    """Which notifications to list."""

    category = Id()
    community = Id()
    state = fields.Enum(State, by_value=True)


class MailsSchema(DaysSchema):
    """Which mails to list, by the day on which their notification was accepted."""

    recipient = Id()
    action = Id()
    status = fields.Enum(Status, by_value=True)


class TemplateSchema(Schema):
    """Which version of a template to show, as a reader of which locale gets it, and before which to list versions."""

    version = fields.Integer(validate=_NUMBER)
    locale = Locale()
    before = fields.Integer(validate=_NUMBER)


class PeriodSchema(Schema):
    """Of which days figures are, today among them, in which time zone; of one category alone, where it is named."""

    days = fields.Integer(load_default=30, validate=validate.OneOf(DAYS))
    timezone = TimeZone(load_default="UTC")
    category = Id()


class SubjectSchema(Schema):
    """Whose figures to look up."""

    group = Id()
    community = Id()
    category = Id()


class RecipientsSchema(Schema):
    """Which entries of a notification to list."""

    status = fields.Enum(Status, by_value=True)


class ExportSchema(DaysSchema):
    """Which entries to export, by the day on which they were entered."""

    category = Id()
    community = Id()
    group = Id()
    status = fields.Enum(Status, by_value=True)
    notification = Id()


class UserSchema(Schema):
    """Whom to look for, and what they did not get."""

    user = Id()
    notification = Id()


@dataclass(frozen=True, slots=True)
class Asked:
    """`values` are good; `given` is what stood in the form, and `faults` what is wrong with it, by field."""

    values: Mapping[str, Any]
    given: Mapping[str, str]
    faults: Mapping[str, str]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.given)


def read(schema: type[Schema]) -> Asked:
    """What the address asks for; a field that is left empty is not there."""
    known = [field.data_key or name for name, field in schema().fields.items()]
    given = {name: value for name in known if (value := request.args.get(name, "").strip())}
    try:
        return Asked(schema().load(given, unknown=EXCLUDE), given, {})
    except ValidationError as error:
        faults = {name: " ".join(said) for name, said in by_path(error.normalized_messages()).items()}
        return Asked({}, given, faults)


def cursor() -> str | None:
    """The notification that the page asked for follows; None: the first page, also where it is no cursor of ours."""
    try:
        return paging.decode_notification(request.args.get("cursor"))
    except InvalidInput:
        return None


def mail_cursor() -> str | None:
    """The same of mails."""
    try:
        after = paging.decode(request.args.get("cursor"))
    except InvalidInput:
        return None
    return after if after is None or _MAIL.fullmatch(after) else None


def name_cursor() -> str | None:
    """The same of what is listed by name."""
    try:
        return paging.decode(request.args.get("cursor"))
    except InvalidInput:
        return None


def filters(asked: Asked, start: str, end: str) -> Mapping[str, Any]:
    """What a page with DaysSchema asks for, its days as moments under the names `start` and `end`; None: no bound."""
    others = {name: value for name, value in asked.values.items() if name not in {"from", "to"}}
    first, last = asked.values.get("from"), asked.values.get("to")
    bounds = {start: first and day_start(first), end: last and day_start(last + timedelta(days=1))}
    return others | bounds

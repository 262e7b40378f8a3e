"""Documents of the JSON:API inbox: the one change, and what is answered."""

from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from notify_server.api.schemas.fields import Flag, Instant

NOTIFICATION, USER = "notification", "user"  # the types of resources

_NO_OTHER = {"unknown": "Nothing but is-read can be changed."}


class Second(Instant):
    """A point in time, shown no finer than lists are sorted by: to the second."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


class JsonApiChangedAttributesSchema(Schema):
    """The one attribute that can be changed."""

    error_messages = _NO_OTHER

    is_read = Flag(data_key="is-read")


class JsonApiNothingSchema(Schema):
    """Relationships that can be changed: none."""

    error_messages = _NO_OTHER


class JsonApiChangeSchema(Schema):
    """A resource object with what is changed of it; members that JSON:API does not know are ignored, as it demands."""

    class Meta:
        """See above."""

        unknown = EXCLUDE

    type = fields.String(required=True)
    id = fields.String(required=True)
    attributes = fields.Nested(JsonApiChangedAttributesSchema, load_default=dict)
    relationships = fields.Nested(JsonApiNothingSchema)


class JsonApiChangeDocumentSchema(Schema):
    """The body of a PATCH."""

    class Meta:
        """The same."""

        unknown = EXCLUDE

    data = fields.Nested(JsonApiChangeSchema, required=True)


class JsonApiAttributesSchema(Schema):
    """What a notification is to its user."""

    title = fields.String(attribute="notification.message.title", allow_none=True)
    message = fields.String(attribute="notification.message.body", allow_none=True)
    received_at = Second(attribute="notification.created_at", data_key="received-at")
    accept = fields.String(attribute="notification.message.link", allow_none=True)
    is_read = fields.Boolean(data_key="is-read")


class JsonApiUserAttributesSchema(Schema):
    """What a user is."""

    community = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    locale = fields.String(allow_none=True)
    timezone = fields.String(allow_none=True)
    created_at = Instant(data_key="created-at", allow_none=True)


class JsonApiImplementedSchema(Schema):
    """The version of JSON:API."""

    version = fields.String(required=True, validate=validate.Equal("1.1"))


class JsonApiIdentifierSchema(Schema):
    """What names a resource."""

    type = fields.String(required=True)
    id = fields.String(required=True)


class JsonApiRelationshipSchema(Schema):
    """The user of a notification, and where they are found."""

    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    data = fields.Nested(JsonApiIdentifierSchema, required=True)


class JsonApiRelationshipsSchema(Schema):
    """Of a notification."""

    user = fields.Nested(JsonApiRelationshipSchema)


class JsonApiUserSchema(JsonApiIdentifierSchema):
    """A user."""

    attributes = fields.Nested(JsonApiUserAttributesSchema)


class JsonApiNotificationSchema(JsonApiIdentifierSchema):
    """A notification of one user: its id is `{notification_id}:{user_id}`."""

    attributes = fields.Nested(JsonApiAttributesSchema)
    relationships = fields.Nested(JsonApiRelationshipsSchema)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class JsonApiDocumentSchema(Schema):
    """What every document has."""

    jsonapi = fields.Nested(JsonApiImplementedSchema, required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)


class JsonApiNotificationDocumentSchema(JsonApiDocumentSchema):
    """One notification."""

    data = fields.Nested(JsonApiNotificationSchema, required=True)
    included = fields.List(fields.Nested(JsonApiUserSchema))


class JsonApiCountSchema(Schema):
    """How many a list has; 10,000 where it has more."""

    count = fields.Integer(required=True)


class JsonApiNotificationsDocumentSchema(JsonApiDocumentSchema):
    """A page of notifications, and how many there are."""

    data = fields.List(fields.Nested(JsonApiNotificationSchema), required=True)
    included = fields.List(fields.Nested(JsonApiUserSchema))
    meta = fields.Nested(JsonApiCountSchema, required=True)


class JsonApiUserDocumentSchema(JsonApiDocumentSchema):
    """The user of a notification; null where they were erased in this moment."""

    data = fields.Nested(JsonApiUserSchema, required=True, allow_none=True)


class JsonApiLinkageDocumentSchema(JsonApiDocumentSchema):
    """Which user a notification belongs to."""

    data = fields.Nested(JsonApiIdentifierSchema, required=True)
    included = fields.List(fields.Nested(JsonApiUserSchema))

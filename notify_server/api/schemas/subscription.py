"""What a user has muted."""

from marshmallow import Schema, fields


class MutedSchema(Schema):
    """Names of groups and categories, in order."""

    groups = fields.List(fields.String(), required=True)
    categories = fields.List(fields.String(), required=True)


class SubscriptionsSchema(Schema):
    """Everything is subscribed to but what is muted."""

    muted = fields.Nested(MutedSchema, required=True)

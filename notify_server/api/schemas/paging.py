"""The query of every list."""

from marshmallow import Schema, fields, validate

MAX_LIMIT = 200


class PageSchema(Schema):
    """Where to go on, and how many items to return."""

    cursor = fields.String(
        load_default=None, validate=validate.Length(1, 1024), metadata={"description": "The `next` of the page before"}
    )
    limit = fields.Integer(
        load_default=50, validate=validate.Range(1, MAX_LIMIT), metadata={"description": "Most items of a page"}
    )

"""What probes are told."""

from marshmallow import Schema, fields


class StatusSchema(Schema):
    """One word."""

    status = fields.String(required=True)

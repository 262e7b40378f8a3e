"""Templates, as they are written, looked at and tried out."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import DataKey, Flag, Id, Instant, Locale, Normal
from notify_server.domain.locales import normal
from notify_server.domain.notification import OWN_KEYS
from notify_server.domain.template import Content, Source, Variable, VariableType

_MAX_LOCALES = 50
_MAX_VARIABLES = 100
_ANY = {
    "type": ["string", "number", "boolean", "array"],
    "items": {"type": ["string", "number", "boolean", "object"]},
}
_WORDS = frozenset(("user", "loop", "self", "true", "false", "none", "and", "or", "not", "in", "is", "if", "else"))


class VariableName(fields.String):
    """What a variable is called in sources."""

    def __init__(self, **kwargs: Any) -> None:
        shape = validate.Regexp(
            r"[a-z][a-z0-9_]{0,63}\Z", error="Must begin with a small letter and have no others but those, 0-9 and _."
        )
        own = validate.NoneOf(_WORDS, error=f"Must be none of {', '.join(sorted(_WORDS))}.")
        super().__init__(validate=[shape, own], **kwargs)


class VariableSchema(Schema):
    """What a notification has to give for a variable."""

    type = fields.Enum(VariableType, by_value=True, load_default=VariableType.STRING)
    required = Flag(load_default=True, metadata={"description": "What is not, and left out, shows as nothing"})
    example = fields.Raw(
        allow_none=True, load_default=None, metadata=_ANY | {"description": "What a preview shows without variables"}
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Variable:
        return Variable(**data)


class SourceSchema(Schema):
    """The sources in one locale: `title` and `body` for push and inbox, `subject`, `html` and `text` for mail."""

    title = Normal(allow_none=True)
    body = Normal(allow_none=True)
    subject = Normal(allow_none=True, metadata={"description": "Without it, a mail has the title for its subject"})
    html = Normal(allow_none=True, metadata={"description": "What variables say is escaped"})
    text = Normal(allow_none=True, metadata={"description": "Needed where there is html or subject"})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Source:
        return Source(**data)


class TemplateSchema(Schema):
    """A version of a template to be made. `link`, `image` and the values of `data` are sources, too."""

    category = Id(allow_none=True, load_default=None)
    default_locale = Locale(
        load_default=None,
        metadata={"description": "For readers of no locale that is there; left out: en, or else the only one"},
    )
    variables = fields.Dict(
        keys=VariableName(),
        values=fields.Nested(VariableSchema),
        validate=validate.Length(max=_MAX_VARIABLES),
        load_default=dict,
    )
    locales = fields.Dict(
        keys=Locale(),
        values=fields.Nested(SourceSchema),
        validate=validate.Length(1, _MAX_LOCALES),
        required=True,
        metadata={"description": "By language tag (BCP 47)"},
    )
    link = Normal(allow_none=True, load_default=None)
    image = Normal(allow_none=True, load_default=None)
    data = fields.Dict(keys=DataKey(), values=Normal(), load_default=dict)

    @validates_schema
    def _leaves_ours(self, data: dict[str, Any], **_: Any) -> None:
        if taken := sorted(OWN_KEYS & data.get("data", {}).keys()):
            raise ValidationError({"data": {key: ["Set by the server."] for key in taken}})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Content:
        locales = {normal(tag): source for tag, source in data.pop("locales").items()}
        default = data.pop("default_locale")
        if default is None:
            if "en" not in locales and len(locales) > 1:
                raise ValidationError("Name the one of the locales that is for all other readers.", "default_locale")
            default = "en" if "en" in locales else next(iter(locales))
        return Content(default_locale=normal(default), locales=locales, **data)

    @validates_schema
    def _names_each_once(self, data: dict[str, Any], **_: Any) -> None:
        tags = [normal(tag) for tag in data.get("locales", {})]
        twice = sorted({tag for tag in tags if tags.count(tag) > 1})
        if twice:
            raise ValidationError({"locales": {tag: ["Is there twice, in two spellings."] for tag in twice}})


class ShownTemplateSchema(Schema):
    """A version of a template."""

    name = fields.String()
    version = fields.Integer()
    category = fields.String(attribute="content.category", allow_none=True)
    default_locale = fields.String(attribute="content.default_locale")
    variables = fields.Dict(keys=fields.String(), values=fields.Nested(VariableSchema), attribute="content.variables")
    locales = fields.Dict(keys=fields.String(), values=fields.Nested(SourceSchema), attribute="content.locales")
    link = fields.String(attribute="content.link", allow_none=True)
    image = fields.String(attribute="content.image", allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), attribute="content.data")
    created_at = Instant()
    pack = fields.String(
        allow_none=True, metadata={"description": "The pack that it was installed from; null: somebody wrote it"}
    )


class TemplateSummarySchema(Schema):
    """A version of a template without its sources."""

    name = fields.String()
    version = fields.Integer()
    category = fields.String(allow_none=True)
    default_locale = fields.String()
    locales = fields.List(fields.String())
    created_at = Instant()
    pack = fields.String(allow_none=True)


class TemplatePageSchema(Schema):
    """A page of templates by name, each in its newest version; or of versions of one, newest first."""

    templates = fields.List(fields.Nested(TemplateSummarySchema), required=True)
    next = fields.String(allow_none=True, required=True)


class PreviewSchema(Schema):
    """For whom to render a template, and with what; without variables, with its examples."""

    may_be_left_out = True

    locale = Locale(allow_none=True, load_default=None)
    variables = fields.Dict(
        keys=fields.String(), values=fields.Raw(allow_none=True), allow_none=True, load_default=None
    )


class PreviewedSchema(Schema):
    """What a reader gets. Where a text shows fields of its user, their names stand in it."""

    name = fields.String(attribute="template.name")
    version = fields.Integer(attribute="template.version")
    locale = fields.String(metadata={"description": "The one that was found for the reader"})
    title = fields.String(attribute="parts.title", allow_none=True)
    body = fields.String(attribute="parts.body", allow_none=True)
    image = fields.String(attribute="rendered.message.image", allow_none=True)
    link = fields.String(attribute="rendered.message.link", allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), attribute="rendered.message.data")
    subject = fields.String(attribute="parts.subject", allow_none=True)
    html = fields.String(attribute="parts.html", allow_none=True)
    text = fields.String(attribute="parts.text", allow_none=True)

"""How the simulator misbehaves: frozen rules, read whole from the JSON of PUT /_simulator/behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Range

from notify_server.errors import InvalidInput
from notify_server.simulator.outcomes import FAULTS, RETRYABLE, Drop, Fault
from notify_server.simulator.problems import flatten

_MAX_SECONDS = 3600


class _Number(fields.Float):
    """A JSON number: a string of digits is refused."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


class _Whole(fields.Integer):
    """A whole JSON number."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


class _Flag(fields.Boolean):
    """true or false, and nothing that resembles them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **kwargs)


def _seconds(default: float) -> _Number:
    return _Number(load_default=default, validate=Range(0, _MAX_SECONDS))


class _Latency(Schema):
    min = _seconds(0.0)
    max = _seconds(0.0)

    @validates_schema
    def _ordered(self, data: dict[str, float], **_: Any) -> None:
        if data["min"] > data["max"]:
            raise ValidationError("Must not be less than min.", "max")


_RetryAfter = Schema.from_dict(
    {kind: _Whole(load_default=None, allow_none=True, validate=Range(0, _MAX_SECONDS)) for kind in RETRYABLE},
    name="RetryAfter",
)


class _RuleSchema(Schema):
    class Meta:
        """Unknown keys are errors."""

        unknown = RAISE
        include: ClassVar = {fault.value: _Number(load_default=0.0, validate=Range(0, 1)) for fault in FAULTS}

    retry_after = fields.Nested(_RetryAfter, load_default=lambda: _RetryAfter().load({}))
    latency = fields.Nested(_Latency, load_default=lambda: {"min": 0.0, "max": 0.0})
    stall_seconds = _seconds(30.0)
    drop = fields.String(load_default=Drop.CONNECTION, validate=OneOf(list(Drop)))

    @validates_schema
    def _at_most_one(self, data: dict[str, Any], **_: Any) -> None:
        if sum(data[fault] for fault in FAULTS) > 1 + 1e-9:
            raise ValidationError("The rates of one rule add up to more than 1.", "rates")


class _BehaviourSchema(_RuleSchema):
    prefixes = fields.Dict(fields.String(validate=Length(1, 4096)), fields.Nested(_RuleSchema), load_default=dict)
    quota_per_minute = _Whole(load_default=None, allow_none=True, validate=Range(min=0))
    seed = _Whole(load_default=0)
    log = _Flag(load_default=True)
    token_lifetime = _Whole(load_default=3600, validate=Range(1, 86_400))
    token_unavailable = _Number(load_default=0.0, validate=Range(0, 1))


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to messages for some targets. `thresholds` are the faults' rates added up, ascending."""

    thresholds: tuple[tuple[float, Fault], ...]
    retry_after: Mapping[str, int | None]
    latency: tuple[float, float]
    stall_seconds: float
    drop: Drop

    @property
    def quiet(self) -> bool:
        """Whether nothing ever happens by this rule."""
        return not self.thresholds and self.latency == (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The whole. `prefixes` are longest first, and `document` is the same as JSON, with every default filled in."""

    default: Rule
    prefixes: tuple[tuple[str, Rule], ...]
    quota_per_minute: int | None
    seed: int
    log: bool
    token_lifetime: int
    token_unavailable: float
    document: Mapping[str, Any]

    def rule(self, target: str) -> Rule:
        """The rule of the longest prefix that `target` has, which stands alone; else the default."""
        return next((rule for prefix, rule in self.prefixes if target.startswith(prefix)), self.default)


def parse(content: Any) -> Behaviour:
    """Read a behaviour; every key is optional. Raises InvalidInput with each wrong field by its path."""
    try:
        document = _BehaviourSchema().load(content)
    except ValidationError as error:
        raise InvalidInput(flatten(error.messages)) from None
    prefixes = sorted(document["prefixes"].items(), key=lambda item: -len(item[0]))
    return Behaviour(
        default=_rule(document),
        prefixes=tuple((prefix, _rule(rule)) for prefix, rule in prefixes),
        document=document,
        **{key: document[key] for key in ("quota_per_minute", "seed", "log", "token_lifetime", "token_unavailable")},
    )


def _rule(document: Mapping[str, Any]) -> Rule:
    rates = [(document[fault], fault) for fault in FAULTS if document[fault] > 0]
    sums = accumulate(rate for rate, _ in rates)
    return Rule(
        thresholds=tuple(zip(sums, (fault for _, fault in rates), strict=True)),
        retry_after=document["retry_after"],
        latency=(document["latency"]["min"], document["latency"]["max"]),
        stall_seconds=document["stall_seconds"],
        drop=Drop(document["drop"]),
    )

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.notification import NotificationSchema
from tests.api.caller import refused

PATH = "/v1/notifications"
PAYLOAD = {"message": {"title": "t"}, "users": ["u1"]}
REALTIME = {"channels": ["realtime"]}


def message(**fields):
    return {"message": fields}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"message": None}, ["message"]),
        ({"message": "Hello"}, ["message"]),
        (message(), ["message"]),
        (message(title=None, data={}), ["message"]),
        (message(title=1), ["message.title"]),
        (message(title=""), ["message.title"]),
        (message(title="t" * 1025), ["message.title"]),
        (message(title=["t"], body={"b": 1}), ["message.title", "message.body"]),
        (message(body="b" * 4097), ["message.body"]),
        (message(body="b" * 4090), ["message"]),  # FCM's 4,096 bytes, of which the envelope needs some
        (message(body="ä" * 2048), ["message"]),
        (message(data={"k": "v" * 4096}), ["message"]),
        (message(data={"k": "v" * 7_000_000}) | REALTIME, ["message"]),
        (message(data={"k": "ä" * 32_768}) | REALTIME, ["message"]),
        (message(title="t\0"), ["message.title"]),
        (message(title="\ud83d"), ["message.title"]),
        (message(title="t", colour="red"), ["message.colour"]),
        (message(title="t", link="javascript:alert(1)"), ["message.link"]),
        (message(title="t", link=" javascript:alert(1)"), ["message.link"]),
        (message(title="t", link="JaVaScRiPt://example.org/%0aalert(1)"), ["message.link"]),
        (message(title="t", link="java\nscript:alert(1)"), ["message.link"]),
        (message(title="t", link="data:text/html,x"), ["message.link"]),
        (message(title="t", link="//example.org"), ["message.link"]),
        (message(title="t", link="/bookings/1"), ["message.link"]),
        (message(title="t", link="https://"), ["message.link"]),
        (message(title="t", link="https://[::1"), ["message.link"]),
        (message(title="t", link="https://a b"), ["message.link"]),
        (message(title="t", link=""), ["message.link"]),
        (message(title="t", link="http://example.org"), ["message.link"]),
        (message(title="t", link="intent://example.org#Intent;end"), ["message.link"]),
        (message(title="t", link="https://user@example.org"), ["message.link"]),
        (message(title="t", image="http://example.org/a.png"), ["message.image"]),
        (message(title="t", image="data:image/png;base64,AA"), ["message.image"]),
        (message(title="a\u202eb", body="a\u2066b"), ["message.title", "message.body"]),
        (message(title="a\nb"), ["message.title"]),
        (message(title="\x1b[2J", body="a\x85"), ["message.title", "message.body"]),
        (message(title="pay\u200bpal", body="\U000e0041"), ["message.title", "message.body"]),
        (message(title="Z" + "\u0301" * 10, body="\ue000"), ["message.title", "message.body"]),
        (message(title="t", data={"__proto__": "x"}), ["message.data.__proto__.key"]),
        (message(title="t", data={"constructor": "x"}), ["message.data.constructor.key"]),
        (message(title="t", data={"prototype": "x"}), ["message.data.prototype.key"]),
        (message(title="t", data={".hidden": "x"}), ["message.data..hidden.key"]),
        (message(title="t", data={"a\nb": "x"}), ["message.data.a\nb.key"]),
        (message(title="t", data={"a\u202eb": "x"}), ["message.data.a\u202eb.key"]),
        (message(title="t", data={"k" * 257: "x"}), [f"message.data.{'k' * 257}.key"]),
        ({"category": "a\u202eb"}, ["category"]),
        ({"groups": ["g\u200b", "Z" + "\u0301" * 10, "\u3164", "\U000e0041"]}, [f"groups.{n}" for n in range(4)]),
        ({"ttl": float("1e300")}, ["ttl"]),
        (message(title="t", link="https://e.org/" + "x" * 2048), ["message.link"]),
        (message(title="t", image="ftp://example.org/a.png"), ["message.image"]),
        (message(title="t", data={"from": "x"}), ["message.data.from"]),
        (message(title="t", data={"message_type": "x"}), ["message.data.message_type"]),
        (message(title="t", data={"google.x": "x", "ok": "x"}), ["message.data.google.x"]),
        (message(title="t", data={"gcm.notification.title": "x"}), ["message.data.gcm.notification.title"]),
        (message(title="t", data={"notification_id": "x"}), ["message.data.notification_id"]),
        (message(title="t", data={"link": "javascript:alert(1)"}), ["message.data.link"]),
        (message(title="t", data={"category": "c", "link": ""}), ["message.data.category", "message.data.link"]),
        (message(data={"link": "https://e.org/"}) | REALTIME, ["message.data.link"]),
        (message(data={"category": "c", "ok": "x"}) | REALTIME, ["message.data.category"]),
        (message(title="t", data={"k": 1}), ["message.data.k.value"]),
        (message(title="t", data={"k": None}), ["message.data.k.value"]),
        (message(title="t", data={"k": {"n": "v"}}), ["message.data.k.value"]),
        (message(title="t", data={"": "v"}), ["message.data..key"]),
        (message(title="t", data={"$k": "v"}), ["message.data.$k"]),
        (message(title="t", data=[["k", "v"]]), ["message.data"]),
        ({"users": []}, ["users"]),
        ({"users": "u1"}, ["users"]),
        ({"users": {"u1": True}}, ["users"]),
        ({"users": None}, ["users"]),
        ({"users": ["u1", 2, None, ["u3"], ""]}, ["users.1", "users.2", "users.3", "users.4"]),
        ({"users": ["a/b", "..", "a\tb", "u" * 129]}, ["users.0", "users.1", "users.2", "users.3"]),
        ({"users": ["a\0"]}, ["users.0"]),
        ({"users": [f"u{n}" for n in range(50_001)]}, ["users"]),
        ({"users": ["u"] * 100_001}, ["users"]),
        ({"groups": ["g"] * 1001}, ["groups"]),
        ({"groups": [1]}, ["groups.0"]),
        ({"communities": "c"}, ["communities"]),
        ({"everyone": "yes"}, ["everyone"]),
        ({"everyone": 1}, ["everyone"]),
        ({"category": ""}, ["category"]),
        ({"category": 7}, ["category"]),
        ({"community": "a/b"}, ["community"]),
        ({"channels": []}, ["channels"]),
        ({"channels": "push"}, ["channels"]),
        ({"channels": ["push", "pigeon"]}, ["channels.1"]),
        ({"priority": "urgent"}, ["priority"]),
        ({"priority": None}, ["priority"]),
        ({"ttl": 0}, ["ttl"]),
        ({"ttl": -1}, ["ttl"]),
        ({"ttl": 2_419_201}, ["ttl"]),
        ({"ttl": 10**30}, ["ttl"]),
        ({"ttl": 60.5}, ["ttl"]),
        ({"ttl": "60"}, ["ttl"]),
        ({"ttl": True}, ["ttl"]),
        ({"send_at": "2026-12-01"}, ["send_at"]),
        ({"send_at": "2026-12-01T09:00:00"}, ["send_at"]),
        ({"send_at": "2026-02-30T09:00:00Z"}, ["send_at"]),
        ({"send_at": "9999-12-31T23:59:59Z"}, ["send_at"]),
        ({"send_at": 1_800_000_000}, ["send_at"]),
        ({"resend": None}, ["resend"]),
        ({"resend": {"after": 9}}, ["resend.after"]),
        ({"resend": {"times": 11, "after": "900"}}, ["resend.after", "resend.times"]),
        ({"resend": {"every": 1}}, ["resend.every"]),
        ({"id": "mine"}, ["id"]),
        ({"template": "t", "variables": {}}, ["template"]),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_bad_payload_is_refused_with_its_fields_named_and_nothing_is_stored(backend, stored, fields, named):
    before = stored()
    refused(backend.post(PATH, PAYLOAD | fields), 422, *named)
    assert stored() == before


def test_faults_of_several_fields_are_named_at_once(backend):
    refused(backend.post(PATH, {"users": [1], "ttl": 0, "x": 1}), 422, "message", "users.0", "ttl", "x")


def test_of_very_many_faults_the_first_hundred_are_named(backend):
    answer = backend.post(PATH, PAYLOAD | {"users": [0] * 50_000})
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 100


@pytest.mark.parametrize(
    "fields",
    [
        message(title="😀 \u2067א\u2069", body="b\r\n\t<script>" + "b" * 3000, data={"a.b": "", "k$": "v"}),
        message(title="t", link="https://example.org:8443/ä?q=1#f", image="https://[::1]/a.png"),
        {"users": ["u1", "u1", "a b", "ä", "$u", "...", "u" * 128], "ttl": 2_419_200},
        {"resend": {"times": 0}, "channels": ["realtime", "push", "push"]},
        message(data={"k": "v" * 65_000}) | REALTIME,
    ],
    ids=["text", "links", "ids", "options", "large without push"],
)
def test_what_is_odd_but_right_is_accepted(backend, fields):
    assert backend.post(PATH, PAYLOAD | fields).status_code == 202


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"push_after": 60}, "push_after"),
        ({"push_after": 60, "channels": ["realtime"]}, "push_after"),
        ({"push_after": 60, "channels": ["push", "realtime"], "ttl": 60}, "push_after"),
        ({"push_after": 0, "channels": ["push", "realtime"]}, "push_after"),
        ({"push_after": 86_401, "channels": ["push", "realtime"], "ttl": 100_000}, "push_after"),
    ],
)
def test_push_waits_only_behind_the_other_channel_and_for_as_long_as_it_may_be_sent(fields, named):
    with pytest.raises(ValidationError) as caught:
        NotificationSchema().load({"message": {"title": "T"}, "users": ["u1"], **fields})
    assert list(caught.value.normalized_messages()) == [named]


def test_push_may_wait():
    both = {"push_after": 60, "channels": ["push", "realtime"]}
    draft = NotificationSchema().load({"message": {"title": "T"}, "users": ["u1"], **both})
    assert draft.push_after == 60

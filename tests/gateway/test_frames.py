import pytest

from notify_server.gateway.frames import Frame, Kind, read


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("1", Frame(Kind.TRANSPORT)),
        ("3", Frame(Kind.TRANSPORT)),
        ("40", Frame(Kind.CONNECT)),
        ('40{"token":"t"}', Frame(Kind.CONNECT)),
        ('40/admin,{"token":"t"}', Frame(Kind.CONNECT, "/admin")),
        ("41", Frame(Kind.DISCONNECT)),
        ('4217["receipt",{"status":"read"}]', Frame(Kind.RECEIPT, "/", 17)),
        ('42["receipt"]', Frame(Kind.RECEIPT)),
        ('42["join","user:grace"]', Frame(Kind.OTHER)),
        ('42["connect",{},{"token":"t"}]', Frame(Kind.OTHER)),  # the name of a handler
        ('42["disconnect"]', Frame(Kind.OTHER)),
        ("430[]", Frame(Kind.OTHER, "/", 0)),
    ],
)
def test_what_clients_send_is_told_apart(text: str, frame: Frame) -> None:
    assert read(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "x", "2", "5", "4", "44", "45", '451-["x",{"_placeholder":true,"num":0}]', "46"),
        *("42", "42[]", "42[5]", '42{"a":1}', "42[", '42["receipt"', '42["x"]y', "41[]", "43", "43{}"),
        *('421234567890123456["receipt"]', "42" + "[" * 4000, '42["receipt",' + "9" * 5000 + "]", "40{"),
    ],
)
def test_what_is_no_packet_is_malformed(text: str | None) -> None:
    assert read(text).kind is Kind.MALFORMED

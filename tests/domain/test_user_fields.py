import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain import text, user_fields
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, fill, fill_html, legible, mark, used, widest

ADA = User("a&b/c", email="ada@example.org", locale="de-AT")
ID, COMMUNITY = mark(UserField.ID), mark(UserField.COMMUNITY)
QUOTED = mark(UserField.ID, quoted=True)


def test_marks_become_what_is_known_of_the_user_and_nothing_where_it_is_not():
    assert fill(f"Hello {ID} of {COMMUNITY}!", ADA) == "Hello a&b/c of !"
    assert fill(f"https://example.org/?u={QUOTED}", ADA) == "https://example.org/?u=a%26b%2Fc"


def test_html_is_escaped():
    assert fill_html(f"<p>{ID}</p>", User('<b>"x"')) == "<p>&lt;b&gt;&quot;x&quot;</p>"


def test_each_field_has_two_marks_of_its_own_and_none_can_come_with_a_text():
    marks = [mark(field, quoted=quoted) for field in UserField for quoted in (False, True)]
    assert len(set(marks)) == len(marks)
    assert all(text.fault(f"a{each}b", lines=True) for each in marks)


def test_what_is_used_is_known_and_told_by_its_name():
    assert used(f"{ID}{COMMUNITY}") == {UserField.ID, UserField.COMMUNITY}
    assert used(None) == used("plain") == frozenset()
    assert legible(f"Hello {ID}, {QUOTED}") == "Hello {{ user.id }}, {{ user.id | urlencode }}"
    assert legible(None) is None


@given(st.sampled_from(UserField), st.booleans(), st.text(max_size=128))
def test_nobody_takes_more_bytes_than_the_widest(field, quoted, value):
    value = "".join(each for each in value if each.isprintable())[: user_fields.LONGEST[field]]
    user = User("u", **({field.value: value} if field is not UserField.ID else {}))
    if field is UserField.ID:
        user = User(value)
    source = f"x{mark(field, quoted=quoted)}y"
    assert len(fill(source, user).encode()) <= len(widest(source).encode())


@pytest.mark.parametrize("field", UserField)
def test_a_value_that_looks_like_a_mark_is_not_filled_again(field):
    assert fill(ID, User(f"{{{{ user.{field} }}}}")) == f"{{{{ user.{field} }}}}"


def test_values_are_encoded_for_where_they_stand():
    assert user_fields.values(User('a"b'), lambda value: value.replace('"', '\\"'))[ID] == 'a\\"b'

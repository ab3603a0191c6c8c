"""Which passwords are refused, and in which words."""

import pytest

from ecm.weak_passwords import COMMONEST, weakness


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 12"),
        ("aaaaaaaaaaaaaaaaaaaa", "again and again"),
        ("abcabcabcabcab", "again and again"),
        ("passwordpassword", "again and again"),
        ("Password1234!", "first that anybody"),
        ("P@ssw0rd2026!!", "first that anybody"),
        ("Administrator1", "first that anybody"),
        ("qwertyuiopas", "first that anybody"),
        ("fedcba9876543210", None),
        ("123456789012", "first that anybody"),
        ("1q2w3e4r5t6y", "first that anybody"),
        ("ada@example.org", "little more than a name"),
        ("AdaAdministrator!", "little more than a name"),
        ("tidy-lamp-river-9", None),
        ("four words in a row", None),
        ("ada keeps nine grey geese", None),
    ],
)
def test_what_is_wrong_with_a_password(password: str, said: str | None) -> None:
    found = weakness(password, "Ada Administrator", "ada@example.org")
    assert (found is None) == (said is None), found
    assert said is None or said in (found or "")


def test_the_commonest_are_long_enough_to_matter() -> None:
    assert len(COMMONEST) > 250
    assert all(len(password) >= 12 and weakness(password) for password in COMMONEST)

"""Every door that changes something writes down that it did, in the same transaction; and what is refused, nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ecm.audit.verify import verify
from tests.api.conftest import ADAMS_ALERT, ADAMS_CHECK_IN, ADAMS_VISIT, ALICE_SOMEWHERE, Story
from tests.api.conftest import PASSWORD as OLD

KEY = {"name": "A rostering system", "scopes": ["import"]}
ACCOUNT = {"email": "new@example.org", "name": "Nina New", "role": "duty_officer"}
NOTE = {"kind": "note", "reason_code": "other", "note": "Seen by the neighbour"}

# who, how, where, with what; the actions written down, in their order
CHANGES: list[tuple[str, str, str, Any, list[str]]] = [
    ("dana", "POST", f"/v1/visits/{ADAMS_VISIT}/amendments", NOTE, ["amended_note"]),
    (
        "dana",
        "POST",
        f"/v1/check-events/{ADAMS_CHECK_IN}/rejection",
        {"reason_code": "other", "note": "not she"},
        ["amended_reject"],
    ),
    ("dana", "POST", f"/v1/alerts/{ADAMS_ALERT}/acknowledgement", {}, ["alert_acknowledged"]),
    ("ada", "POST", "/v1/accounts", ACCOUNT, ["account_created"]),
    ("ada", "POST", "/v1/accounts/2/disablement", None, ["account_disabled"]),
    ("ada", "DELETE", "/v1/accounts/2/disablement", None, ["account_enabled"]),
    ("ada", "POST", "/v1/accounts/2/password", None, ["password_replaced"]),
    (
        "dana",
        "POST",
        "/v1/me/password",
        {"current": OLD, "new": "another-made-up-password"},
        ["password_changed"],
    ),
    ("ada", "POST", "/v1/keys", KEY, ["key_created"]),
    ("cory", "POST", "/v1/enrolments", {"care_worker": "CW-A"}, ["phone_code_made"]),
    ("cory", "POST", "/v1/tags", {"kind": "qr", "service_user": "SU-A"}, ["tag_made"]),
    ("cory", "PUT", "/v1/homes/key-safe", {"service_user": "SU-A", "code": "4711"}, ["key_safe_set"]),
    ("cory", "POST", "/v1/code-cards", {"service_user": "SU-A"}, ["code_card_made"]),
    ("fay", "POST", "/v1/actuals/2026-W47/runs", None, ["payment_run_requested"]),
    ("dana", "DELETE", "/v1/session", None, ["signed_out"]),
]

REFUSED: list[tuple[str, str, str, Any]] = [
    ("quin", "POST", f"/v1/visits/{ADAMS_VISIT}/amendments", NOTE),
    ("dana", "POST", "/v1/visits/999/amendments", NOTE),
    ("dana", "POST", f"/v1/visits/{ADAMS_VISIT}/amendments", NOTE | {"kind": "wish"}),
    ("cleo", "POST", f"/v1/alerts/{ADAMS_ALERT}/acknowledgement", {}),
    ("dana", "POST", "/v1/accounts", ACCOUNT),
    ("ada", "POST", "/v1/accounts", ACCOUNT | {"role": "emperor"}),
    ("cleo", "POST", "/v1/tags", {"kind": "qr", "service_user": "SU-A"}),
    ("max", "POST", "/v1/actuals/2026-W47/runs", None),
    ("cory", "POST", f"/v1/check-events/{ALICE_SOMEWHERE}/rejection", {}),
]


@pytest.mark.parametrize(
    ("who", "how", "path", "body", "actions"), CHANGES, ids=lambda value: str(value)[:40].replace("/", " ")
)
async def test_every_change_is_an_entry(
    story: Story, who: str, how: str, path: str, body: Any, actions: list[str]
) -> None:
    asker = await story.signed_in(who)
    answer = await asker.request(how, path, json=body)
    assert answer.status_code < 300, answer.text
    entries = await story.all("SELECT action, actor_ref, subject_ref, actor FROM audit ORDER BY audit_id")
    assert [entry["action"] for entry in entries] == actions
    assert all(entry["actor_ref"] and entry["subject_ref"] for entry in entries), "a ref each, for a search"
    assert entries[0]["actor"].lower().split()[2].startswith(who[:3])
    async with story.owner.connection() as connection:
        assert (await verify(connection, 1)).whole


@pytest.mark.parametrize(
    ("who", "how", "path", "body"), REFUSED, ids=lambda value: str(value)[:40].replace("/", " ")
)
async def test_what_is_refused_is_no_entry(story: Story, who: str, how: str, path: str, body: Any) -> None:
    asker = await story.signed_in(who)
    assert 400 <= (await asker.request(how, path, json=body)).status_code < 500
    assert await story.all("SELECT FROM audit") == []


async def test_signing_in_and_out_says_from_where(story: Story) -> None:
    desk = story.at_the_door(**{"User-Agent": "Firefox 140"})
    signed_in = await desk.post("/v1/session", json={"email": "dana@example.org", "password": OLD})
    assert signed_in.status_code == 201, signed_in.text
    assert (await desk.delete("/v1/session")).status_code == 204
    entries = await story.all("SELECT action, origin, agent FROM audit ORDER BY audit_id")
    assert [tuple(entry) for entry in entries] == [
        ("signed_in", "127.0.0.1", "Firefox 140"),
        ("signed_out", "127.0.0.1", "Firefox 140"),
    ]


async def test_the_entry_and_the_change_are_there_together_or_not_at_all(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.run("ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (false) NOT VALID")
    assert (await dana.post(f"/v1/alerts/{ADAMS_ALERT}/acknowledgement", json={})).status_code == 500
    assert (await story.one("SELECT owner FROM alerts WHERE alert_id = $1", ADAMS_ALERT))["owner"] is None

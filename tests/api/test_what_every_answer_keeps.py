"""What holds at every address alike: no body fills the memory, and no answer is kept by who passes it on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from ecm.bodies import BODY_BYTES_MAX, PATIENCE_S, SmallBodies
from ecm.web.static_files import VERSION
from tests.api.conftest import ADAMS_VISIT, Story
from tests.leaping import leaping

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Endless:
    """A sender who declares no length and counts what was taken."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"email": "'
        for _ in range(1000):
            self.taken_bytes += 64 * 1024
            yield b"x" * 64 * 1024


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/session", JSON), ("/sign-in", FORM), (f"/v1/visits/{ADAMS_VISIT}/amendments", JSON)],
)
async def test_a_strangers_endless_body_is_not_read_to_its_end(
    story: Story, path: str, kind: dict[str, str]
) -> None:
    sender = Endless()
    answer = await story.at_the_door().post(path, content=sender, headers=kind)
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"
    assert sender.taken_bytes < 2 * BODY_BYTES_MAX


async def test_a_body_declared_too_large_is_refused_unread(story: Story) -> None:
    answer = await story.at_the_door().post("/v1/session", content=b"x" * (BODY_BYTES_MAX + 1), headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


async def test_an_import_may_be_larger(story: Story) -> None:
    rows = b"".join(b"P-%05d,%s\n" % (number, b"n" * 60) for number in range(5000))
    assert len(rows) > BODY_BYTES_MAX
    importer = await story.with_key("import")
    answer = await importer.post(
        "/v1/imports/providers", content=b"ref,name\n" + rows, headers={"Content-Type": "text/csv"}
    )
    assert answer.json()["new"] == 5000


async def test_no_answer_about_people_is_kept_on_the_way(story: Story) -> None:
    dana = await story.signed_in("dana")
    for path in ("/v1/visits", f"/v1/visits/{ADAMS_VISIT}", "/v1/visits/999", "/v1/me"):
        answer = await dana.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_that_is_our_mistake_is_kept_by_nobody_either(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.run("ALTER TABLE visits RENAME COLUMN state_reason TO hidden_column")
    answer = await dana.get("/v1/visits")
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


# An answer of every sort, and by which door: who is brought to show one as a page gets an empty one.
EVERY_SORT = [
    ("GET", "/v1/visits", 200),
    ("GET", "/v1/visits/999", 404),
    ("GET", "/v1/nothing", 404),
    ("PATCH", "/v1/visits", 405),
    ("TRACE", "/v1/visits", 405),
    ("TRACE", "/board", 405),
    ("TRACE", f"/static/{VERSION}/icon.svg", 405),
    ("POST", "/v1/session", 422),
    ("GET", "/healthz", 200),
    ("GET", "/v1/openapi.json", 200),
    ("GET", "/t/K7MP2XQR4TBN", 303),
    ("GET", "/board", 200),
    ("GET", "/app", 200),
    ("GET", "/app/manifest.webmanifest", 200),
    ("GET", f"/static/{VERSION}/icon.svg", 200),
    ("GET", f"/static/{VERSION}/nothing.js", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERY_SORT)
async def test_every_answer_says_how_little_a_browser_may_do_with_it(
    story: Story, method: str, path: str, status: int
) -> None:
    dana = await story.signed_in("dana")
    answer = await dana.request(method, path, headers=JSON if method == "POST" else {})
    assert answer.status_code == status
    held(answer.headers)
    if answer.headers.get("content-type") in ("application/json", "application/problem+json"):
        shows_nothing(answer.headers)


async def test_the_hot_door_says_the_same(story: Story) -> None:
    transport = httpx.ASGITransport(story.app.state.door)
    async with httpx.AsyncClient(transport=transport, base_url="http://ecm.test") as phone:
        answer = await phone.post("/v1/check-events", json={})
    assert answer.status_code == 401
    held(answer.headers)
    shows_nothing(answer.headers)


async def test_a_mistake_of_ours_says_the_same(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.run("ALTER TABLE visits RENAME COLUMN state_reason TO hidden_column")
    answer = await dana.get("/v1/visits")
    assert answer.status_code == 500
    held(answer.headers)
    shows_nothing(answer.headers)


async def test_who_is_reached_by_https_is_reached_by_nothing_else(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = story.app.state.services.settings
    for public_url, expected in (
        (None, None),
        ("http://ecm.example.org", None),
        ("https://ecm.example.org", "max-age=31536000; includeSubDomains"),
    ):
        monkeypatch.setattr(settings, "public_url", public_url)
        for path in ("/v1/me", "/", "/app", f"/static/{VERSION}/icon.svg"):
            answer = await story.at_the_door().get(path)
            assert answer.headers.get("strict-transport-security") == expected, path


@pytest.mark.parametrize("path", ["/board", "/app", "/app/sw.js", f"/static/{VERSION}/icon.svg"])
async def test_what_is_text_says_in_which_letters(story: Story, path: str) -> None:
    """ASVS 4.1.1. JSON has but one way to be written (RFC 8259)."""
    dana = await story.signed_in("dana")
    answer = await dana.get(path)
    assert answer.headers["content-type"].endswith("; charset=utf-8")


def held(headers: httpx.Headers) -> None:
    """What pages and files say too: no guessing, no frame, no loading by others, no telling where one came from."""
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    if headers.get("content-type", "").startswith("text/html"):
        assert policy.startswith(("default-src 'self';", "default-src 'none';"))
        assert {"base-uri 'none'", "object-src 'none'"} <= set(policy.split("; "))
    assert not any(name.startswith("access-control-") for name in headers), "no other origin reads us"


def shows_nothing(headers: httpx.Headers) -> None:
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


async def test_numbers_of_thousands_of_digits_are_no_mistake_of_ours(story: Story) -> None:
    stranger = story.at_the_door()
    assert (await stranger.get("/visits/" + "1" * 4_301)).status_code == 404
    answer = await stranger.post(
        "/v1/session", content=b"{}", headers=JSON | {"Content-Length": "0" * 4_999 + "2"}
    )
    assert answer.status_code == 422
    answer = await stranger.post("/v1/session", content=b"{}", headers=JSON | {"Content-Length": "9" * 5_000})
    assert answer.status_code == 413


async def test_who_sends_half_a_body_and_then_nothing_is_not_waited_for(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.bodies.PATIENCE_S", 0.2)

    async def drip() -> AsyncIterator[bytes]:
        yield b" "
        await asyncio.Event().wait()

    async with asyncio.timeout(30):
        answer = await story.at_the_door().post("/v1/session", content=drip(), headers=JSON)
    assert answer.status_code == 408
    assert answer.headers["connection"] == "close"


def test_an_import_may_take_its_time_while_it_comes_and_not_when_it_stops() -> None:
    """Told by a clock that leaps: nobody waits, and no stall of this machine is the sender's silence."""
    read: list[bytes] = []

    async def importer(_: Scope, receive: Receive, __: Send) -> None:
        more = True
        while more:
            message = await receive()
            read.append(message["body"])
            more = message["more_body"]

    async def sends(path: str, *pauses_s: float) -> None:
        parts = iter(pauses_s)

        async def receive() -> Message:
            pause_s = next(parts)
            await asyncio.sleep(pause_s)
            return {"type": "http.request", "body": b"P", "more_body": len(read) + 1 < len(pauses_s)}

        async def send(message: Message) -> None:
            pytest.fail(f"nothing is answered here: {message}")

        read.clear()
        await SmallBodies(importer)({"type": "http", "path": path, "headers": []}, receive, send)

    leaping(sends("/v1/imports/providers", *[PATIENCE_S - 1] * 6))
    assert len(read) == 6
    with pytest.raises(HTTPException) as silent:
        leaping(sends("/v1/imports/providers", 1, 1, PATIENCE_S + 1, 1))
    assert (silent.value.status_code, len(read)) == (408, 2)
    with pytest.raises(HTTPException) as in_all:
        leaping(sends("/v1/session", *[PATIENCE_S * 0.4] * 6))
    assert (in_all.value.status_code, len(read)) == (408, 2)


async def test_who_stops_in_the_middle_of_an_import_is_told_so(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.bodies.PATIENCE_S", 0.2)

    async def stops() -> AsyncIterator[bytes]:
        yield b"ref,name\nP9,"
        await asyncio.Event().wait()

    importer = await story.with_key("import")
    csv = {"Content-Type": "text/csv"}
    async with asyncio.timeout(30):
        refused = await importer.post("/v1/imports/providers", content=stops(), headers=csv)
    assert refused.status_code == 408
    assert await story.all("SELECT FROM providers WHERE ref = 'P9'") == []


async def test_who_hangs_up_in_the_middle_of_an_import_is_no_mistake_of_ours(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    key = (await story.with_key("import")).headers["Authorization"]
    said = [(b"authorization", key.encode()), (b"content-type", b"text/csv")]
    path = "/v1/imports/providers"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": said}
    parts = iter([{"type": "http.request", "body": b"ref,", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(parts)

    async def send(message: Any) -> None:
        pytest.fail(f"nobody is there to be told {message}")

    await story.app(scope, receive, send)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []

"""What holds at every address alike: no body fills the memory, and no answer is kept by who passes it on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ecm.bodies import BODY_BYTES_MAX
from tests.api.conftest import ADAMS_VISIT, Story

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

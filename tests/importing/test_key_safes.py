"""Ways to get in come with the people: sealed before they touch the database, and repeated in no report."""

from __future__ import annotations

import logging

import pytest

from ecm.errors import NotUnderstood
from ecm.sealing import Sealer, key_safe_of
from tests.importing.desk import Desk, counts, said

SEALER = Sealer.of(bytes(32))
PEOPLE = "ref,name,key_safe\nP1,Ms Adams,C1234Y behind the meter\n0002,Mr Brown,\n"
KEPT = "SELECT ref, sealed_key_safe FROM service_users ORDER BY ref DESC"


async def opened(desk: Desk) -> dict[str, str | None]:
    return {
        row["ref"]: None
        if row["sealed_key_safe"] is None
        else SEALER.open(row["sealed_key_safe"], key_safe_of(1, row["ref"])).decode()
        for row in await desk.rows(KEPT)
    }


async def test_a_code_is_kept_sealed_and_the_same_file_again_changes_nothing(desk: Desk) -> None:
    assert counts(await desk.bring("service-users", PEOPLE, sealer=SEALER)) == (2, 2, 0, 0, 0)
    assert await opened(desk) == {"P1": "C1234Y behind the meter", "0002": None}
    before = await desk.everything()
    assert "C1234Y" not in str(before)
    assert counts(await desk.bring("service-users", PEOPLE, sealer=SEALER)) == (2, 0, 0, 2, 0)
    assert await desk.everything() == before


async def test_a_column_that_is_absent_leaves_the_code_and_a_blank_cell_takes_it_away(desk: Desk) -> None:
    await desk.bring("service-users", PEOPLE, sealer=SEALER)
    await desk.work_off_to_dos()
    await desk.bring("service-users", "ref,name\nP1,Ms Adams\n")
    assert (await opened(desk))["P1"] == "C1234Y behind the meter"
    changed = await desk.bring("service-users", "ref,name,key_safe\nP1,Ms Adams,4711\n", sealer=SEALER)
    assert counts(changed) == (1, 0, 1, 0, 0)
    assert (await opened(desk))["P1"] == "4711"
    assert counts(await desk.bring("service-users", "ref,name,key_safe\nP1,Ms Adams,\n")) == (1, 0, 1, 0, 0)
    assert (await opened(desk))["P1"] is None
    assert await desk.work_off_to_dos() == [], "no visit is judged by it"


async def test_a_code_that_cannot_be_taken_is_repeated_nowhere(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    long = "C1234Y " * 40
    twice = "[" + '{"ref": "P1", "name": "Ms Adams", "key_safe": "C1234Y"},' * 2
    file = twice + '{"ref": "P2", "name": "Ms Bell", "key_safe": 1234567},' + (
        f'{{"ref": "P3", "name": "Mr Cole", "key_safe": "{long}"}}]'
    )  # fmt: skip
    report = await desk.bring("service-users", file, format="json", sealer=SEALER)
    assert report.rejected == 4
    assert "3: key_safe: is not one line of text of at most 200 characters" in said(report)
    told = str(report.as_json()) + report.as_text() + caplog.text
    assert "C1234Y" not in told
    assert "1234567" not in told


async def test_without_a_key_no_code_is_taken(desk: Desk) -> None:
    with pytest.raises(NotUnderstood, match="key_safe"):
        await desk.bring("service-users", PEOPLE)
    assert await desk.rows(KEPT) == []

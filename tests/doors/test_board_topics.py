"""The socket's topics: each account is greeted with, shown and told what is its own to see, whatever it asks for."""

from __future__ import annotations

import pytest

from tests.doors import canary
from tests.doors.askers import ASKERS, Asker, Standing, standings
from tests.doors.board import OTHER, OWN, Refused, everything
from tests.doors.judging import CELLS
from tests.doors.matrix import expected
from tests.doors.service import Service

LETTERS = expected()
ACCOUNTS = [asker for asker in ASKERS if asker.kind == "account"]


@pytest.mark.parametrize("asker", ACCOUNTS, ids=lambda asker: asker.name)
async def test_the_board_tells_each_account_its_own(service: Service, asker: Asker) -> None:
    for standing in standings(asker):
        if LETTERS["WS /board/live", asker.name] == "-" or standing != "standing":
            with pytest.raises(Refused):
                await everything(service, asker, standing)
        else:
            await hears_its_own(service, asker, standing)


async def hears_its_own(service: Service, asker: Asker, standing: Standing) -> None:
    heard = await everything(service, asker, standing)
    told = {one.text for one in canary.found(heard) if not asker.may_read(one, CELLS)}
    assert not told, f"the board tells {asker.name} {sorted(told)}"
    for topic in ("hello", "snapshot", "row", "alert", "heartbeat"):
        assert f'"type":"{topic}"' in heard, f"{asker.name} never hears a {topic}"
    assert OWN.visit_ref in heard
    assert (OTHER.visit_ref in heard) == (asker.provider is None)

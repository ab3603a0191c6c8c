"""The longest files first: with two processes, one that begins last leaves the other idle until it ends.

A plugin that `tests/conftest.py` names. xdist's own order is by how many tests a file has, and the longest have one.
"""

import pytest

# By seconds, the most first. All others follow, as they are found.
LONGEST = (
    "tests/api/test_schemathesis.py",
    "tests/doors/test_matrix.py",
    "tests/web/test_settings_pages.py",
    "tests/doors/test_matrix_unlocked.py",
    "tests/web/test_board_page.py",
    "tests/web/app/test_every_screen.py",
    "tests/web/test_every_page.py",
    "tests/web/app/test_round.py",
    "tests/web/app/test_offline.py",
    "tests/simulator/test_simulate.py",
    "tests/board/test_live.py",
    "tests/web/test_board_in_use.py",
    "tests/ingest/telephone/test_sip_phones.py",
    "tests/web/test_signing_in.py",
    "tests/web/test_visit_page.py",
    "tests/store/test_embedded.py",
    "tests/processing/test_machine.py",
    "tests/visit/test_laws.py",
    "tests/processing/test_orders.py",
    "tests/house/test_compose.py",
    "tests/web/app/test_shared_phone.py",
    "tests/web/test_own_page.py",
    "tests/web/test_tags_page.py",
    "tests/identity/test_oidc.py",
    "tests/simulator/test_player.py",
    "tests/house/test_no_skips.py",
    "tests/ingest/telephone/test_sip_trouble.py",
    "tests/audit/test_mutations.py",
    "tests/ingest/telephone/test_guessing.py",
)
TURNS = {name: turn for turn, name in enumerate(LONGEST)}


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: TURNS.get(item.nodeid.split("::")[0], len(TURNS)))

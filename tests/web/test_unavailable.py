"""While the database is away a browser is shown a page, which comes back by itself."""

from playwright.async_api import expect

from ecm.store.db import Database
from tests.board.stage import Stage
from tests.web.test_board_page import live


async def test_a_board_opened_while_the_database_is_away_says_so_and_is_there_when_it_is_back(
    stage: Stage, open_page
):
    await stage.plan("V-next", at="09:45")
    database = stage.app.state.services.web
    here = database.dsn
    await move(database, "postgresql://nobody@127.0.0.1:1/nothing")
    page = await open_page(stage, "/board")
    await expect(page.get_by_role("heading")).to_have_text("The service cannot reach its database")
    await expect(page.get_by_role("link", name="Try now")).to_be_visible()
    await move(database, here)
    await expect(page.locator("#needs")).to_contain_text("Next visit 09:45.", timeout=30_000)
    await live(page)


async def move(database: Database, dsn: str) -> None:
    """The next connection is made to this address."""
    await database.close()
    database.dsn = dsn

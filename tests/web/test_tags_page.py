"""Tags as a coordinator makes and prints them: the sheet to cut up, a secret shown once, one taken out of use."""

from __future__ import annotations

import os
import re

from playwright.async_api import Page, expect

from tests.board.stage import Stage
from tests.web.test_every_page import AXE, CONTROL_ROOM, LAPTOP, PHONE, RUN_AXE, TOO_WIDE

ADDRESSES = "UPDATE service_users SET address = '1 Madeup Lane', postcode = 'ZZ1 1AA'"
PERSONS = 12


async def visited(stage: Stage) -> None:
    """Northfield visits Mr Dobson, Mrs Ashworth and ten more; Ms Thorne is Harbour's."""
    for n in range(PERSONS - 2):
        await stage.owner.execute(
            "INSERT INTO service_users (tenant_id, ref, name, area) VALUES (1, $1, $2, 'Knighton')",
            f"P-{n}",
            f"Mrs Made Up{n}",
        )
    for n, person in enumerate(["P-D", "P-A", *(f"P-{n}" for n in range(PERSONS - 2))]):
        await stage.plan(f"V-{n}", person=person)
    await stage.plan("V-T", person="P-T", provider="HAR")
    await stage.owner.execute(ADDRESSES)


async def no_faults(page: Page) -> list[str]:
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(TOO_WIDE) + await page.evaluate(RUN_AXE)
    return found


async def test_tags_for_every_home_without_one_are_made_and_printed(stage: Stage, open_page, picture) -> None:
    await visited(stage)
    page = await open_page(stage, "/tags", who="cole")
    await expect(page.get_by_text("12 without a tag")).to_be_visible()
    assert "Ms T." not in await page.content(), "another provider's"
    await page.get_by_role("button", name="Make 12 QR codes").click()
    await expect(page.locator(".labels .label")).to_have_count(PERSONS)
    await expect(page.get_by_text("every home has a tag")).to_be_visible()

    made = {row["tag_id"] for row in await stage.owner.fetch("SELECT tag_id FROM tags WHERE kind = 'qr'")}
    assert set(await page.locator(".labels .id").all_text_contents()) == made
    listed = await page.locator("[aria-labelledby=tags-title] li b ~ span").all_inner_texts()
    assert len({ref.strip() for ref in listed}) == PERSONS, (
        "two Mrs U. of one area are told apart, and so are their codes"
    )
    assert not any("P-" in text for text in await page.locator(".labels .label").all_inner_texts()), (
        "not in the home"
    )
    whole = await page.content()
    assert not any(secret in whole for secret in ("Madeup Lane", "ZZ1", "Dobson", "Ashworth"))

    faults = []
    for view, (width, height), scheme in [
        ("phone", PHONE, "light"), ("laptop", LAPTOP, "dark"), ("laptop", LAPTOP, "light"),
        ("control-room", CONTROL_ROOM, "light"), ("laptop-at-200-percent", (683, 384), "light"),
    ]:  # fmt: skip
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(120)
        faults += [f"{view} {scheme}: {fault}" for fault in await no_faults(page)]
        if not os.environ.get("CI"):
            await picture(page, f"tags-{view}-{scheme}", full_page=True)
    assert faults == []

    await page.set_viewport_size({"width": 794, "height": 1123})
    await page.emulate_media(media="print", color_scheme="dark")
    for seen in ("header.frame", "#homes-title", "#tags-title"):
        await expect(page.locator(seen)).to_be_hidden()
    await expect(page.locator(".labels .label").last).to_be_visible()
    box = await page.locator(".label .qr").first.bounding_box()
    assert box is not None
    assert box["width"] > 130, "some four centimetres: a cheap phone reads it at arm's length"
    if not os.environ.get("CI"):
        await picture(page, "tags-print-sheet", full_page=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", await page.pdf(prefer_css_page_size=True)))
    assert pages == 2, "eight to a sheet of paper"


async def test_a_code_cards_secret_is_shown_once_and_is_a_card_on_paper(
    stage: Stage, open_page, picture
) -> None:
    await visited(stage)
    page = await open_page(stage, "/tags", who="cole")
    await page.get_by_label("Choose all").check()
    await page.get_by_label("Choose all").uncheck()
    await expect(page.get_by_role("button", name="Choose homes first")).to_be_disabled()
    await page.get_by_label("Choose Mr D., P-D").check()
    await page.get_by_role("button", name="Make a code card").click()
    shown = page.get_by_role("dialog", name="A new code card")
    await expect(shown).to_contain_text("Mr D.")
    secret = (await shown.locator(".id").inner_text()).replace(" ", "")
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    assert await no_faults(page) == []
    await page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    if not os.environ.get("CI"):
        await picture(page, "tags-code-card")
        await page.emulate_media(media="print")
        await picture(page, "tags-code-card-print")
        await page.emulate_media(media="screen")
    await shown.get_by_label("I have it").check()
    await shown.get_by_role("button", name="Close").click()
    await expect(page.get_by_text("6 digits, a new code every 60 s")).to_be_visible()
    assert secret not in (await page.content()).replace(" ", "")


async def test_a_secure_tags_keys_are_shown_once(stage: Stage, open_page) -> None:
    await stage.plan("V-1")
    page = await open_page(stage, "/tags", who="cole")
    await page.get_by_label("Kind of tag").select_option("ntag424")
    await page.get_by_role("button", name="Make 1 secure NFC tag").click()
    shown = page.get_by_role("dialog", name="Keys of secure tags")
    await expect(shown).to_contain_text("/t/")
    assert len(re.findall(r"\b[0-9A-F]{32}\b", await shown.inner_text())) >= 2


async def test_keys_that_are_shown_once_are_whole_on_paper_and_say_which_is_which(
    stage: Stage, open_page, picture
) -> None:
    await visited(stage)
    page = await open_page(stage, "/tags", who="cole", color_scheme="dark")
    await page.evaluate("document.documentElement.dataset.theme = 'dark'")
    await page.get_by_label("Kind of tag").select_option("ntag424")
    await page.get_by_role("button", name="Make 12 secure NFC tags").click()
    shown = page.get_by_role("dialog", name="Keys of secure tags")
    await expect(shown.locator("li")).to_have_count(PERSONS)
    await expect(shown.get_by_text("P-D")).to_be_visible()
    await page.emulate_media(media="print", color_scheme="dark")
    await expect(shown.get_by_text("Meta key").last).to_be_visible()
    for part in (shown, shown.locator(".things")):
        assert await part.evaluate("(part) => part.scrollHeight <= part.clientHeight + 2"), "cut off on paper"
    box = await shown.bounding_box()
    assert box is not None
    assert box["y"] >= 0, "the first tags stand above the paper"
    assert await shown.evaluate("(shown) => getComputedStyle(shown).color") == "rgb(20, 32, 43)", (
        "ink on paper"
    )
    if not os.environ.get("CI"):
        await picture(page, "tags-keys-print", full_page=True)
    assert len(re.findall(rb"/Type\s*/Page\b", await page.pdf(prefer_css_page_size=True))) >= 2


async def test_a_tag_is_retired_with_a_reason(stage: Stage, open_page) -> None:
    await stage.plan("V-1")
    page = await open_page(stage, "/tags", who="cole", size=PHONE)
    await page.get_by_role("button", name="Make 1 QR code").click()
    await page.get_by_role("button", name=re.compile("^Retire .* of Mr D.")).click()
    asked = page.get_by_role("dialog", name=re.compile("^Retire "))
    await asked.get_by_label("Why?").fill("moved house")
    assert await no_faults(page) == []
    await asked.get_by_role("button", name="Retire").click()
    await expect(page.get_by_text("No tag is in use.")).to_be_visible()
    assert (
        await stage.owner.fetchval("SELECT reason FROM audit WHERE action = 'tag_retired'") == "moved house"
    )


async def test_a_key_safe_is_set_and_its_code_is_shown_to_nobody(stage: Stage, open_page, picture) -> None:
    await stage.plan("V-1")
    page = await open_page(stage, "/tags", who="cole", size=PHONE)
    await page.get_by_role("button", name=re.compile("^Set the key safe code of Mr D.")).click()
    asked = page.get_by_role("dialog", name=re.compile("^Key safe of "))
    await asked.get_by_role("button", name="Save").click()
    await expect(asked.get_by_role("alert")).to_contain_text("Write the code")
    await asked.get_by_label("Code, and where").fill("4711 behind the meter")
    assert await no_faults(page) == []
    await picture(page, "key-safe-phone")
    await asked.get_by_role("button", name="Save").click()
    change = page.get_by_role("button", name=re.compile("^Change the key safe code of Mr D."))
    await expect(change).to_be_visible()
    assert "4711" not in await page.content()
    await change.click()
    await asked.get_by_role("button", name="There is none any more").click()
    await expect(page.get_by_role("button", name=re.compile("^Set the key safe code"))).to_be_visible()


async def test_nobody_to_visit_and_a_service_that_is_away_both_say_so(
    stage: Stage, open_page, picture
) -> None:
    page = await open_page(stage, "/tags", who="cole")
    await expect(page.get_by_text("No person here yet.")).to_be_visible()
    assert await no_faults(page) == []
    if not os.environ.get("CI"):
        await picture(page, "tags-empty")
    await page.route("**/v1/homes*", lambda route: route.fulfill(status=503, body="{}"))
    await page.reload()
    await expect(page.get_by_text("The tags could not be read")).to_be_visible()
    await page.unroute("**/v1/homes*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("No person here yet.")).to_be_visible()


async def test_making_many_that_stops_half_way_says_what_was_made(stage: Stage, open_page) -> None:
    await visited(stage)
    page = await open_page(stage, "/tags", who="cole")
    asked = []

    async def third_fails(route) -> None:
        asked.append(route.request.method)
        if route.request.method == "POST" and asked.count("POST") == 3:
            await route.fulfill(status=503, json={"title": "The database is away."})
        else:
            await route.continue_()

    await page.route("**/v1/tags*", third_fails)
    await page.get_by_role("button", name="Make 12 QR codes").click()
    await expect(page.get_by_text("2 tags made, then it stopped: The database is away.")).to_be_visible()


async def test_only_those_who_manage_tags_have_the_page(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/tags", who="dana")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("not")
    await expect(page.get_by_role("link", name="Tags")).to_have_count(0)

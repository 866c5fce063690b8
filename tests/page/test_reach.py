"""Whoever uses it, with whatever: keys only, a screen reader, a phone, light or dark."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from checks.tree import TOP
from picklebot.testing import FakeClock, ScriptedModel
from tests.flow.jobs import write_job
from tests.flow.test_file_proposals import JOB, call, write
from tests.page.conftest import DESK, IN_ONE_LOOP, PHONE, SCREENS, OpenPage, Screen, Serve, say
from tests.page.test_views import set_aside

pytestmark = IN_ONE_LOOP

AXE = TOP / "tests" / "page" / "vendor" / "axe.js"
VIEWS = ("chat/new", "flow", "jobs", "approvals", "dead", "memory", "spend", "health")


async def test_a_conversation_needs_no_mouse(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two")) as site, open_page(site) as page:
        keys = page.keyboard
        await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        await keys.type("first line")
        await keys.press("Shift+Enter")
        await keys.type("second line")
        await keys.press("Enter")
        await expect(page.locator(".reply")).to_have_text("one")
        await keys.press("Escape")
        await keys.press("n")
        await expect(page).to_have_url(f"{site.url}/#/chat/new")
        await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
        await keys.type("third")
        await keys.press("Enter")
        await expect(page.locator(".reply")).to_have_text("two")
        await expect(page.locator("#sessions li")).to_have_count(2)
        await keys.press("Escape")
        await keys.press("j")
        await expect(page.locator(".reply")).to_have_text("one")
        await expect(page.locator(".said")).to_contain_text("second line")


async def test_keys_lead_to_every_view_and_are_listed(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel()) as site, open_page(site) as page:
        await page.keyboard.press("Escape")
        for key, view in zip(
            "fjadmsh", ("flow", "jobs", "approvals", "dead", "memory", "spend", "health"), strict=True
        ):
            await page.keyboard.press("g")
            await page.keyboard.press(key)
            await expect(page).to_have_url(f"{site.url}/#/{view}")
            await expect(page.locator("#views [aria-current=page]")).to_have_attribute("data-view", view)
            await expect(page.locator("h1")).to_be_focused()
        await page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        await expect(dialog).to_contain_text("New conversation")
        await dialog.get_by_label("Single letters do this").uncheck()
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")
        await expect(page).to_have_url(f"{site.url}/#/health")


@pytest.mark.parametrize("screen", SCREENS)
async def test_tab_reaches_everything_and_one_sees_where_one_is(
    serve: Serve, open_page: OpenPage, workspace: Path, clock: FakeClock, screen: Screen
) -> None:
    await set_aside(workspace, clock, "sum the huge file")
    async with serve(ScriptedModel()) as site, open_page(site, screen, at="dead") as page:
        await expect(page.locator("[data-letter]")).to_be_visible()
        wanted = "button, a[href], select, input, textarea, summary, [tabindex='0']"
        shown = "e => e.checkVisibility({visibilityProperty: true}) && !e.closest('dialog') && !e.disabled"
        everything = await page.evaluate(f'[...document.querySelectorAll("{wanted}")].filter({shown}).length')
        reached: set[str] = set()
        outlined = (
            "e => getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e.parentElement).boxShadow !== 'none'"
        )
        look = f"""() => {{
            const e = document.activeElement;
            if (!e || e === document.body) return null;
            e.dataset.mark ??= Math.random();
            return {{mark: e.dataset.mark, html: e.outerHTML, outlined: ({outlined})(e)}};
        }}"""
        await page.evaluate("document.activeElement.blur()")
        for _ in range(everything + 2):
            await page.keyboard.press("Tab")
            # In one look: the list may be drawn anew between two.
            found = await page.evaluate(look)
            if found is not None:
                reached.add(found["mark"])
                assert found["outlined"], found["html"]
        assert len(reached) >= everything


@pytest.mark.parametrize("screen", SCREENS)
async def test_light_and_dark_follow_the_system_until_one_chooses(
    serve: Serve, open_page: OpenPage, screen: Screen
) -> None:
    async with serve(ScriptedModel()) as site, open_page(site, screen, color_scheme="dark") as page:
        root = page.locator("html")
        await expect(root).to_have_attribute("data-theme", "dark")
        await expect(root).to_have_css("background-color", "rgb(21, 23, 19)")
        await page.emulate_media(color_scheme="light")
        await expect(root).to_have_css("background-color", "rgb(251, 251, 248)")
        if screen is PHONE:
            await page.get_by_role("button", name="Menu").click()
        switch = page.get_by_role("button", name="Theme")
        await switch.click()  # light, whatever the system has
        await page.emulate_media(color_scheme="dark")
        await expect(root).to_have_attribute("data-theme", "light")
        await switch.click()
        await expect(root).to_have_attribute("data-theme", "dark")
        await page.emulate_media(color_scheme="light")
        await page.reload()
        # It is remembered, and there before anything is drawn: the script that sets it is no module.
        assert await root.get_attribute("data-theme") == "dark"


@pytest.mark.parametrize(("screen", "theme"), [(DESK, "dark"), (PHONE, "light")], ids=["desk-dark", "phone-light"])
async def test_no_view_has_a_finding_of_axe(
    serve: Serve, open_page: OpenPage, workspace: Path, clock: FakeClock, mine: Path, screen: Screen, theme: str
) -> None:
    await set_aside(workspace, clock, "sum the huge file")
    write_job(workspace, "brief", deliver="none")
    reply = (
        "# Title\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n> quoted [link](https://example.org)"
    )
    model = ScriptedModel(call("pay", amount=1), write("crons/new/CRON.md", JOB, 2), reply)
    # axe is put in from outside, past the page's own policy.
    async with serve(model) as site, open_page(site, screen, color_scheme=theme, bypass_csp=True) as page:
        await say(page, "hi")
        await expect(page.locator(".reply")).to_contain_text("Title")
        await page.locator("details.call summary").first.click()
        await page.evaluate(AXE.read_text())
        assert await findings(page) == []
        await page.get_by_role("button", name="Why?").first.click()
        await expect(page.locator(".tree summary").first).to_be_visible()
        assert await findings(page) == []
        await page.keyboard.press("Escape")
        for view in VIEWS:
            await page.evaluate(f"location.hash = '#/{view}'")
            await expect(page.locator("main [aria-busy]")).to_have_count(0)
            if view == "jobs":
                await page.get_by_text("History").click()
            assert await findings(page) == [], view
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


async def findings(page: Page) -> list[str]:
    """Return what axe objects to, of whatever weight."""
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [json.dumps([each["id"], [node["target"] for node in each["nodes"]]]) for each in found["violations"]]


async def test_a_phone_shows_the_side_when_asked_and_hides_it_again(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one")) as site, open_page(site, PHONE) as page:
        await say(page, "hi")
        side = page.locator("#side")
        await expect(side).to_be_hidden()
        menu = page.get_by_role("button", name="Menu")
        await menu.click()
        await expect(side).to_be_visible()
        await expect(menu).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("Escape")
        await expect(side).to_be_hidden()
        await menu.click()
        await page.locator("#sessions a", has_text="hi").click()
        await expect(side).to_be_hidden()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_landmarks_and_names_are_there_for_a_screen_reader(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel()) as site, open_page(site, DESK) as page:
        for landmark in (
            page.get_by_role("main"),
            page.get_by_role("complementary", name="Views and conversations"),
            page.get_by_role("navigation", name="Views", exact=True),
            page.get_by_role("navigation", name="Conversations"),
            page.get_by_role("log", name="Conversation"),
        ):
            await expect(landmark).to_have_count(1)
        await expect(page.get_by_role("heading", level=1)).to_have_text("New conversation")
        await page.keyboard.press("Tab")
        assert await page.title() == "Chat · picklebot"

"""What a person says survives a lost connection, a restart and a reload; nothing is shown twice."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import expect

from picklebot.clock import SystemClock
from picklebot.testing import ScriptedModel
from tests.page.conftest import IN_ONE_LOOP, OpenPage, Serve, Site, say
from tests.page.speaker import Speaker

pytestmark = IN_ONE_LOOP

AWAY = ("WebSocket connection to", "Failed to load resource")  #: what a browser says of a daemon that is not there


def port_of(site: Site) -> int:
    return int(site.url.rpartition(":")[2])


async def test_what_is_said_while_the_daemon_is_away_is_sent_once_when_it_is_back(
    serve: Serve, open_page: OpenPage, gateway: Callable[..., None]
) -> None:
    first, second = Speaker(), ScriptedModel("two", "three")
    first.say("one")
    first.end()
    async with serve(first) as site:
        opened = open_page(site, expected=AWAY)
        page = await opened.__aenter__()
        await say(page, "first")
        await expect(page.locator(".reply")).to_have_text("one")
    gateway(port=port_of(site))
    await expect(page.locator("#state")).to_have_text("away")
    await say(page, "second")
    await say(page, "third")
    await expect(page.locator(".unaccepted").first).to_contain_text("Not sent yet")
    async with serve(second):
        await expect(page.locator(".reply")).to_have_text(["one", "two", "three"])
        await expect(page.locator(".said")).to_have_text(["first", "second", "third"])
        await expect(page.locator(".unaccepted")).to_have_count(0)
        await opened.__aexit__(None, None, None)
    assert len(second.requests) == 2


async def test_a_reply_that_a_restart_interrupts_is_shown_once_and_whole(
    serve: Serve, open_page: OpenPage, gateway: Callable[..., None], mine: Path
) -> None:
    first, second = Speaker(), Speaker()
    async with serve(first, grace=0.2) as site:
        opened = open_page(site, expected=AWAY)
        page = await opened.__aenter__()
        await say(page, "pay")
        first.say("I will.")
        first.call("pay", amount=1)
        await expect(page.locator("details.call")).to_have_attribute("data-state", "done")
        first.say("It was a ple")
        await expect(page.locator(".work")).to_contain_text("It was a ple")
    gateway(port=port_of(site))
    async with serve(second):
        await expect(page.locator("#state")).to_have_attribute("data-state", "here")
        second.say("It was a pleasure.")
        await expect(page.locator(".work")).to_contain_text("It was a pleasure.")
        second.end()
        await expect(page.locator(".reply")).to_have_text(["It was a pleasure."])
        await expect(page.locator("details.call")).to_have_count(1)
        await expect(page.locator(".work")).to_have_text("I will.✓payamount: 10.0 s, done")
        await opened.__aexit__(None, None, None)
    assert (mine).read_text() == "1\n"


async def test_what_was_not_accepted_yet_outlives_the_tab_and_is_taken_once(
    serve: Serve, open_page: OpenPage, gateway: Callable[..., None]
) -> None:
    async with serve(ScriptedModel("one")) as site:
        opened = open_page(site, expected=AWAY)
        page = await opened.__aenter__()
        await expect(page.locator("#state")).to_have_attribute("data-state", "here")
    gateway(port=port_of(site))
    await say(page, "keep this")
    await expect(page.locator(".unaccepted")).to_contain_text("Not sent yet")
    await page.close()
    async with serve(ScriptedModel("kept", "and kept again")) as again:
        tabs = [await page.context.new_page(), await page.context.new_page()]
        await asyncio.gather(*(tab.goto(again.url) for tab in tabs))
        for tab in tabs:
            await tab.locator("#sessions a", has_text="keep this").click()
            await expect(tab.locator(".reply")).to_have_text(["kept"])
            await expect(tab.locator(".said")).to_have_text(["keep this"])
            await expect(tab.locator(".unaccepted")).to_have_count(0)
        await opened.__aexit__(None, None, None)


async def test_two_pages_of_one_conversation_show_the_same(serve: Serve, open_page: OpenPage) -> None:
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "hi")
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".work")).to_have_text("…")
        speaker.say("hello ")
        for each in (page, other):
            await expect(each.locator(".answer")).to_contain_text("hello")
        speaker.say("you")
        speaker.end()
        for each in (page, other):
            await expect(each.locator(".reply")).to_have_text(["hello you"])
        await asyncio.gather(say(page, "/session"), say(other, "/help"))
        for each in (page, other):
            await expect(each.locator(".reply")).to_have_count(3)


async def test_a_browser_whose_login_has_ended_is_told_what_to_do(
    serve: Serve, open_page: OpenPage, workspace: Path
) -> None:
    async with serve(ScriptedModel(), use_clock=SystemClock()) as site, open_page(site, expected=AWAY) as page:
        await expect(page.locator("#state")).to_have_attribute("data-state", "here")
        (workspace / ".picklebot" / "token").write_text("n" * 43)
        await expect(page.get_by_role("alert")).to_contain_text("not logged in any more: run picklebot status")

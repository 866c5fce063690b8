"""A conversation in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from picklebot.testing import ScriptedModel
from tests.page.conftest import IN_ONE_LOOP, SCREENS, OpenPage, Screen, Serve, say
from tests.page.speaker import Speaker

pytestmark = IN_ONE_LOOP


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_reply_is_seen_as_it_is_spoken_and_every_tool_call_with_it(
    serve: Serve, open_page: OpenPage, mine: Path, screen: Screen
) -> None:
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site, screen) as page:
        await say(page, "pay **five**")
        turn = page.get_by_role("article", name="You: pay **five**")
        await expect(turn.locator(".said strong")).to_have_text("five")
        speaker.say("I pay ")
        await expect(turn.locator(".work")).to_have_text("I pay")
        speaker.say("at *once*.")
        await expect(turn.locator(".work em")).to_have_text("once")
        speaker.call("pay", amount=5)
        call = turn.locator("details.call")
        await expect(call.locator(".tool")).to_have_text("pay")
        await expect(call.locator(".summary")).to_contain_text("5")
        await expect(call).to_have_attribute("data-state", "done")
        await expect(call.locator(".time")).to_have_text("0.0 s")
        speaker.say("It is ")
        await expect(turn.locator(".work")).to_contain_text("It is")
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        speaker.say("paid.")
        speaker.end()
        await expect(turn.locator(".reply")).to_have_text("It is paid.")
        assert "It is" not in await turn.locator(".work").inner_text()  # what was streamed is shown once
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        await call.locator("summary").click()
        await expect(call.get_by_role("region", name="Input")).to_have_text("amount: 5")
        await expect(call.get_by_role("region", name="Result")).to_have_text("paid")
        await expect(page.get_by_role("article")).to_have_count(1)
        await page.reload()
        await expect(turn.locator(".reply")).to_have_text("It is paid.")
        await expect(turn.locator("details.call .tool")).to_have_text("pay")


async def test_a_call_that_was_opened_while_its_turn_runs_stays_open(serve: Serve, open_page: OpenPage) -> None:
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "look twice")
        speaker.call("glob", pattern="*.one")
        speaker.call("glob", pattern="*.two")
        second = page.locator("details.call").nth(1)
        await expect(second).to_have_attribute("data-state", "done")
        await second.locator("summary").click()  # what the page reads then stands in steps that it had not heard of
        await expect(second.get_by_role("region", name="Input")).to_have_text("pattern: *.two")
        await expect(page.locator(".calls:has(details)")).to_have_count(2)
        await expect(second).to_have_attribute("open", "")
        speaker.say("done")
        speaker.end()
        await expect(page.locator(".reply")).to_have_text("done")
        await expect(second).to_have_attribute("open", "")


async def test_a_reply_is_announced_to_those_who_cannot_see_it(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("hello there")) as site, open_page(site) as page:
        await say(page, "hi")
        await expect(page.locator("[aria-live=polite]")).to_have_text("Reply: hello there")


async def test_slash_commands_work_and_new_goes_to_the_new_conversation(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two")) as site, open_page(site) as page:
        await say(page, "first")
        await expect(page.locator(".reply")).to_have_text("one")
        await say(page, "/help")
        await expect(page.locator(".reply pre")).to_contain_text("/usage")
        await say(page, "/new")
        await expect(page.locator(".reply", has_text="A fresh session")).to_be_visible()
        await expect(page.locator(".reply")).to_have_count(1)  # it stands in the conversation that it began
        await say(page, "second")
        await expect(page.locator(".reply").last).to_have_text("two")
        await expect(page.locator("#sessions li")).to_have_count(2)


async def test_a_command_is_about_the_conversation_that_is_open(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two")) as site, open_page(site) as page:
        await say(page, "first")
        await expect(page.locator(".reply")).to_have_text("one")
        old = page.url.rsplit("/", 1)[1]
        await page.get_by_role("link", name="New conversation").click()
        await say(page, "second")
        await expect(page.locator(".reply")).to_have_text("two")
        await page.locator("#sessions a", has_text="first").click()
        await expect(page.locator(".reply")).to_have_text("one")
        await say(page, "/session")
        await expect(page.locator(".reply").last).to_contain_text(old)


async def test_the_stop_button_stops_the_turn(serve: Serve, open_page: OpenPage) -> None:
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "tell me everything")
        speaker.say("Well, ")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".turn > .note")).to_contain_text("Stopped")
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()


async def test_a_new_conversation_is_with_the_agent_that_was_chosen(
    serve: Serve, open_page: OpenPage, agent: Callable[..., None]
) -> None:
    agent("scout")
    async with serve(ScriptedModel("one", "two")) as site, open_page(site) as page:
        await say(page, "to the usual one")
        await expect(page.locator(".answer .name")).to_have_text("echo")
        await page.get_by_role("link", name="New conversation").click()
        await page.get_by_label("Agent").select_option("scout")
        await say(page, "to the other one")
        await expect(page.locator(".answer .name")).to_have_text("scout")
        await expect(page.locator(".reply")).to_have_text("two")
        await page.locator("#sessions a", has_text="to the usual one").click()
        await expect(page.locator(".reply")).to_have_text("one")


async def test_what_is_said_in_one_breath_stays_in_one_conversation(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two", "three")) as site, open_page(site) as page:
        for text in ("a", "b", "c"):
            await say(page, text)
        await expect(page.locator(".reply")).to_have_text(["one", "two", "three"])
        await expect(page.locator("#sessions li")).to_have_count(1)


async def test_what_is_being_written_outlives_the_answer_to_the_first_message(
    serve: Serve, open_page: OpenPage
) -> None:
    async with serve(ScriptedModel("one")) as site, open_page(site) as page:
        field = page.get_by_role("textbox", name="Message")
        # In one go, so that the message is accepted while the next one is being written.
        await page.evaluate(
            """() => {
                const field = document.querySelector("#composer");
                field.value = "first";
                field.form.requestSubmit();
                field.value = "half a sent";
                field.dispatchEvent(new Event("input"));
            }"""
        )
        await expect(page.locator(".reply")).to_have_text("one")
        await expect(field).to_have_value("half a sent")
        await expect(field).to_be_focused()


async def test_what_is_not_accepted_says_so_and_can_be_sent_again(
    serve: Serve, open_page: OpenPage, workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as config:
        config.write("limits: {queue_per_session: 1}\n")
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "one")
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        await say(page, "two")
        refused = page.locator(".refused")
        await expect(refused).to_contain_text("Not accepted: 1 messages already wait in this session")
        speaker.say("done")
        speaker.end()
        await expect(page.locator(".reply")).to_have_text("done")
        await refused.get_by_role("button", name="Send again").click()
        speaker.say("done too")
        speaker.end()
        await expect(page.locator(".reply").last).to_have_text("done too")
        await expect(refused).to_have_count(0)
        await expect(page.get_by_role("article")).to_have_count(2)


async def test_a_conversation_of_another_place_is_seen_and_joined(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two")) as site, open_page(site) as page:
        await site.http.post("/api/messages?wait=10", json={"content": "from a program", "client": "cron-box"})
        await page.locator("#sessions a", has_text="from a program").click()
        await expect(page.locator(".about").first).to_have_text("echo · http:cron-box")
        await expect(page.locator(".reply")).to_have_text("one")
        await say(page, "from the page")
        await expect(page.locator(".reply").last).to_have_text("two")
        await expect(page.locator("#sessions li")).to_have_count(1)


async def test_a_long_conversation_shows_its_end_and_the_rest_when_asked(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel(*(f"reply {n}" for n in range(60)))) as site:
        for n in range(60):
            await site.http.post("/api/messages?wait=10", json={"content": f"message {n}", "client": "many"})
        async with open_page(site) as page:
            await page.locator("#sessions a").click()
            await expect(page.locator(".turn")).to_have_count(50)
            await expect(page.get_by_text("reply 59")).to_be_in_viewport()
            await page.get_by_role("button", name="Show earlier messages").click()
            await expect(page.locator(".turn")).to_have_count(60)
            await expect(page.locator(".turn").first).to_contain_text("message 0")

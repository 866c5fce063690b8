"""What the daemon does, seen and acted on in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.sqlite import open_store
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.workspace import Workspace
from tests.flow.jobs import write_job
from tests.flow.test_file_proposals import JOB, write
from tests.page.conftest import IN_ONE_LOOP, SCREENS, OpenPage, Screen, Serve, say
from tests.page.speaker import Speaker

pytestmark = IN_ONE_LOOP


async def set_aside(workspace: Path, clock: FakeClock, content: str) -> None:
    """Leave a message in the store as one that ended the daemon three times."""
    place = Workspace(workspace)
    place.prepare()
    async with open_store(place.database) as store:
        arrival = Arrival(source=Source("ws", ("web",)), content=content, key=content, agent_id="echo", at=clock.now())
        accepted = await store.inbox.accept(arrival, limit=20)
        turn = await store.inbox.begin(accepted.event.session_id, clock.now())
        assert turn is not None
        await store.inbox.bury(turn, error="its turn was begun 3 times and never ended", notice=None)


async def visit(page: Page, view: str) -> None:
    """Go to a view as a person does, on a phone by its menu."""
    if await page.get_by_role("button", name="Menu").is_visible():
        await page.get_by_role("button", name="Menu").click()
    await page.locator(f'#views [data-view="{view}"]').click()


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_dead_letter_is_tried_again(
    serve: Serve, open_page: OpenPage, workspace: Path, clock: FakeClock, screen: Screen
) -> None:
    await set_aside(workspace, clock, "sum the huge file")
    async with serve(ScriptedModel("it is 42")) as site, open_page(site, screen) as page:
        await visit(page, "dead")
        letter = page.locator("[data-letter]")
        await expect(letter).to_contain_text("never ended")
        await letter.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("status").filter(has_text="The message goes on.")).to_be_visible()
        await expect(page.get_by_text("Nothing was set aside.")).to_be_visible()
        await expect(page.locator('[data-count="dead"]')).to_be_hidden()
        if await page.get_by_role("button", name="Menu").is_visible():
            await page.get_by_role("button", name="Menu").click()
        await page.locator("#sessions a", has_text="sum the huge file").click()
        await expect(page.locator(".reply")).to_have_text("it is 42")


async def test_a_dead_letter_is_dropped_only_by_a_second_click(
    serve: Serve, open_page: OpenPage, workspace: Path, clock: FakeClock
) -> None:
    await set_aside(workspace, clock, "sum the huge file")
    async with serve(ScriptedModel("hello")) as site, open_page(site, at="dead") as page:
        drop = page.get_by_role("button", name="Drop")
        await expect(drop).to_have_text("Drop")
        await page.clock.install(time=0)
        await page.clock.pause_at(1_000)  # however long a machine takes, the question is not withdrawn meanwhile
        await drop.click()
        await expect(drop).to_have_text("Really drop it?")
        await page.evaluate("document.querySelector('[data-letter]').dataset.old = 'yes'")
        await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
        await until_drawn_anew(page)
        await expect(drop).to_have_text("Really drop it?")
        assert (await site.http.get("/api/status")).json()["dead"] == 1
        await drop.click()
        await expect(page.get_by_text("Nothing was set aside.")).to_be_visible()
        assert (await site.http.get("/api/status")).json()["dead"] == 0


async def until_drawn_anew(page: Page) -> None:
    """Let a page's clock go on, in less time than a question stays, until it has drawn its letters again."""
    while await page.locator("[data-old]").count():
        await page.clock.run_for(1)


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_proposal_is_shown_whole_and_approved(
    serve: Serve, open_page: OpenPage, workspace: Path, screen: Screen
) -> None:
    hidden = JOB + "Then \u202eread this.\n" + "\n".join(f"line {number}" for number in range(300))
    model = ScriptedModel(write("crons/brief/CRON.md", hidden), "I proposed it.")
    async with serve(model) as site, open_page(site, screen) as page:
        await say(page, "news at nine, please")
        await expect(page.locator(".reply")).to_have_text("I proposed it.")
        await expect(page.locator('[data-count="approvals"]')).to_have_text("1")
        await visit(page, "approvals")
        shown = page.locator("[data-proposal] pre")
        await expect(shown).to_contain_text("line 299")
        await expect(shown).to_contain_text("<U+202E>")  # what an eye cannot see is written out
        assert not (workspace / "crons/brief/CRON.md").exists()
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_role("status").filter(has_text="crons/brief/CRON.md is in force.")).to_be_visible()
        await expect(page.get_by_text("Nothing waits for an answer.")).to_be_visible()
    assert (workspace / "crons/brief/CRON.md").read_text() == hidden


async def test_an_answer_is_for_exactly_what_was_shown_and_counts_once(
    serve: Serve, open_page: OpenPage, workspace: Path
) -> None:
    refused = ("Failed to load resource: the server responded with a status of 409",)
    model = ScriptedModel(write("crons/brief/CRON.md", JOB), "proposed")
    async with serve(model) as site, open_page(site, expected=refused) as page:
        await say(page, "news at nine, please")
        await expect(page.locator(".reply")).to_have_text("proposed")
        await visit(page, "approvals")
        approve = page.get_by_role("button", name="Approve")
        await expect(approve).to_be_visible()
        [proposal] = (await site.http.get("/api/proposals")).json()["proposals"]
        answer = {"digest": proposal["digest"]}
        assert (await site.http.post(f"/api/proposals/{proposal['id']}/deny", json=answer)).status_code == 200
        async with page.expect_request("**/approve") as asked:
            await approve.click()
        assert (await asked.value).post_data_json == answer
        await expect(page.locator(".outcome.problem")).to_contain_text("already")
    assert not (workspace / "crons/brief/CRON.md").exists()


async def test_a_proposal_is_refused(serve: Serve, open_page: OpenPage, workspace: Path) -> None:
    async with serve(ScriptedModel(write("crons/brief/CRON.md", JOB), "proposed")) as site, open_page(site) as page:
        await say(page, "news at nine, please")
        await expect(page.locator(".reply")).to_have_text("proposed")
        await visit(page, "approvals")
        await page.get_by_role("button", name="Deny").click()
        await expect(page.get_by_role("status").filter(has_text="Refused")).to_be_visible()
        await expect(page.get_by_text("Nothing waits for an answer.")).to_be_visible()
    assert not (workspace / "crons/brief/CRON.md").exists()


async def test_a_job_is_begun_now_and_its_history_says_so(serve: Serve, open_page: OpenPage, workspace: Path) -> None:
    write_job(workspace, "brief", deliver="none")
    async with serve(ScriptedModel("good morning")) as site, open_page(site, at="jobs") as page:
        job = page.locator('[data-job="brief"]')
        await expect(job).to_contain_text("0 * * * *")
        await job.get_by_role("button", name="Run now").click()
        await expect(page.get_by_role("status").filter(has_text="brief was begun.")).to_be_visible()
        await job.get_by_text("History").click()
        await expect(job.locator("tbody tr")).to_have_count(1)
        await expect(job.locator("tbody tr")).to_contain_text("ran")
        await job.get_by_role("button", name="Why?").click()
        await expect(page.get_by_role("dialog")).to_contain_text("good morning")


async def test_the_flow_shows_who_waits_for_what_and_events_as_they_come(serve: Serve, open_page: OpenPage) -> None:
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "one")
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        await say(page, "two")
        await expect(page.get_by_role("article")).to_have_count(2)
        await visit(page, "flow")
        queue = page.locator("[data-queue] ol li")
        await expect(queue).to_contain_text(["running", "waiting"])
        await expect(queue.nth(1)).to_contain_text("behind the message above")
        await expect(page.locator(".stream li", has_text="Inbound")).to_have_count(2)
        speaker.say("first")
        speaker.end()
        await expect(page.locator(".stream li", has_text="Outbound")).to_contain_text("first")
        await expect(queue).to_have_count(1)
        await queue.get_by_role("button", name="two").click()
        tree = page.get_by_role("dialog").locator(".tree")
        await expect(tree).to_contain_text("<- asked about")
        await expect(tree.locator("li li li")).not_to_have_count(0)
        speaker.end()


async def test_events_can_be_held_while_one_reads(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one", "two")) as site, open_page(site, at="flow") as page:
        await expect(page.get_by_text("Nobody waits.")).to_be_visible()
        await page.get_by_role("button", name="Hold").click()
        await site.http.post("/api/messages?wait=10", json={"content": "first"})
        await expect(page.locator(".stream li")).to_have_count(0)
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator(".stream li", has_text="Inbound")).to_have_count(1)


async def test_memory_is_listed_and_searched(serve: Serve, open_page: OpenPage, workspace: Path) -> None:
    topics = workspace / "memories" / "topics"
    topics.mkdir(parents=True)
    (topics / "garden.md").write_text("Prune the **apple tree** in February.\n")
    (topics / "kiln.md").write_text("The kiln needs six hours.\n")
    async with serve(ScriptedModel()) as site, open_page(site, at="memory") as page:
        await expect(page.locator(".card")).to_have_count(2)
        await page.get_by_role("searchbox").fill("apple")
        await expect(page.locator(".card")).to_have_count(1)
        await expect(page.locator(".card strong")).to_have_text("apple tree")
        await page.get_by_role("searchbox").fill("zebra")
        await expect(page.get_by_text("Nothing like that was noted.")).to_be_visible()


async def test_spend_is_a_plot_with_the_same_in_words(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel("one")) as site, open_page(site) as page:
        await say(page, "hi")
        await expect(page.locator(".reply")).to_have_text("one")
        await visit(page, "spend")
        plot = page.get_by_role("img", name=re.compile("Spend in the last 30 days: .* in all; most on "))
        await expect(plot.locator(".day")).to_have_count(30)
        await page.get_by_text("The same as a table").click()
        await expect(page.get_by_role("table", name="Spend a day").locator("tbody tr")).to_have_count(1)
        await page.get_by_label("Spend by").select_option("model")
        await expect(page.get_by_role("table", name="Spend by model")).to_contain_text("scripted")

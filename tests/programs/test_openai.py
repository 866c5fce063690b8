"""The OpenAI-compatible API, spoken to by OpenAI's own client over a real socket."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import openai
import pytest

from picklebot.gateway.openai.answer import ALIVE
from picklebot.gateway.openai.following import FOLLOWED, Following, Watch
from picklebot.models.base import ModelRequest
from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Serve, Site
from tests.programs.conftest import openai_client
from tests.programs.speaking import Held, calls, complete, either, streamed, system, user


async def test_agents_are_models(serve: Serve, agent: Callable[..., None]) -> None:
    agent("cookie")
    async with serve(ScriptedModel()) as site, openai_client(site) as client:
        assert sorted([model.id async for model in client.models.list()]) == ["cookie", "echo"]
        assert (await client.models.retrieve("cookie")).owned_by == "picklebot"
        with pytest.raises(openai.NotFoundError, match="no agent is called 'nobody'"):
            await client.models.retrieve("nobody")


def test_the_client_that_does_not_know_asyncio_is_served_as_well(serve: Serve) -> None:
    def talk(site: Site) -> tuple[list[str], str, str]:
        http = openai.DefaultHttpxClient(trust_env=False)
        with openai.OpenAI(base_url=f"{site.url}/v1", api_key=site.token, max_retries=0, http_client=http) as client:
            models = [model.id for model in client.models.list()]
            whole = client.chat.completions.create(model="echo", messages=[{"role": "user", "content": "hi"}])
            chunks = client.chat.completions.create(
                model="echo", messages=[{"role": "user", "content": "hi again"}], stream=True
            )
            said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            return models, whole.choices[0].message.content or "", said

    async def both() -> tuple[list[str], str, str]:
        async with serve(ScriptedModel("hello", "hello again")) as site:
            return await asyncio.to_thread(talk, site)

    assert asyncio.run(both()) == (["echo"], "hello", "hello again")


async def test_a_completion_is_the_agents_reply_with_what_it_used(serve: Serve) -> None:
    async with serve(ScriptedModel("All is well.")) as site, openai_client(site) as client:
        done = await complete(client, user("how are you?"))
        [choice] = done.choices
        assert (choice.message.role, choice.message.content) == ("assistant", "All is well.")
        assert choice.finish_reason == "stop"
        assert (done.object, done.model) == ("chat.completion", "echo")
        assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (10, 5, 15)
        event_id = done.id.removeprefix("chatcmpl-")
        assert done._request_id == event_id
        assert (await site.app.store.fates.of(event_id, site.clock.now())).reply == "All is well."


async def test_a_streamed_completion_says_the_same_in_pieces(serve: Serve) -> None:
    async with serve(ScriptedModel("All is well.", "And now?")) as site, openai_client(site) as client:
        said, last = await streamed(client, user("how are you?"), stream_options={"include_usage": True})
        assert said == "All is well."
        assert (last.choices, last.usage.total_tokens) == ([], 15)
        said, last = await streamed(client, user("and you?"))
        assert said == "And now?"
        assert (last.choices[0].finish_reason, last.usage) == ("stop", None)


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_stay_inside(serve: Serve, stream: bool) -> None:
    model = ScriptedModel(calls("glob", pattern="*"), "Two files.")
    async with serve(model) as site, openai_client(site) as client:
        said = await either(client, user("what is here?"), stream=stream)
        assert said == "Let me see.\n\nTwo files."


@pytest.mark.parametrize("stream", [False, True])
async def test_the_turn_of_a_client_that_hangs_up_goes_on(serve: Serve, stream: bool) -> None:
    unheard = Held("Nobody hears this.")
    async with serve(ScriptedModel(unheard)) as site:
        async with openai_client(site) as client:
            leaving = asyncio.create_task(complete(client, user("hi"), stream=stream))
            await unheard.asked.wait()
            if stream:
                await (await leaving).close()
            else:
                leaving.cancel()
                await asyncio.wait({leaving})
        unheard.go.set()
        [event] = [event for _, event in await site.app.store.log.after(0)][:1]
        async with asyncio.timeout(10), site.socket() as ws:
            await ws.send({"type": "subscribe", "after": 0})
            reply = await ws.event("OutboundEvent")
        assert (reply["cause_id"], reply["content"]) == (event.id, "Nobody hears this.")


async def test_a_long_turn_is_told_to_be_at_work_still(serve: Serve) -> None:
    late = Held("At last.")
    async with serve(ScriptedModel(late)) as site:
        accepted = (await site.http.post("/api/messages", json={"content": "hi"})).json()
        watch = Watch(fates=site.app.store.fates, now=site.clock.now, closing=asyncio.Event(), every=0.02)
        with site.app.bus.subscribe(*FOLLOWED, maxsize=9) as events:
            pieces = Following(accepted["event_id"], events, watch).pieces()
            assert [await anext(pieces) for _ in range(3)] == ["", "", ""]
            late.go.set()
            assert "".join([piece async for piece in pieces]) == "At last."
    assert ALIVE.startswith(b":")  # a comment: every client of server-sent events skips it


async def test_a_streamed_completion_says_no_secret_though_it_is_cut_by_the_pieces(
    serve: Serve, workspace: Path
) -> None:
    def tell(request: ModelRequest) -> str:
        return f"It is {(workspace / '.picklebot' / 'token').read_text().strip()}, the token."

    async with serve(ScriptedModel(tell)) as site, openai_client(site) as client:
        said, _ = await streamed(client, user("what is the token?"))
    assert said == "It is [redacted], the token."


async def test_what_may_be_left_out_of_account_is(serve: Serve) -> None:
    async with serve(ScriptedModel("Hello.")) as site, openai_client(site) as client:
        parts = [{"type": "text", "text": "good"}, {"type": "text", "text": "day"}]
        done = await complete(
            client,
            {"role": "user", "content": parts},
            temperature=0.1,
            max_tokens=5,
            stop=["x"],
            seed=1,
            n=1,
            response_format={"type": "text"},
            metadata={"a": "b"},
            extra_body={"chat_id": "abc"},
        )
        assert done.choices[0].message.content == "Hello."


async def test_slash_commands_are_answered_and_no_model_sees_them(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site, openai_client(site) as client:
        done = await complete(client, system("Be brief."), user("/agents"))
        assert "**echo**" in done.choices[0].message.content
        said, _ = await streamed(client, user("/agents"))
        assert "**echo**" in said


async def test_a_stop_is_an_end(serve: Serve) -> None:
    never = Held("never")
    async with serve(ScriptedModel(never)) as site, openai_client(site) as client:
        stream = await complete(client, user("hi"), stream=True)
        name = stream.response.headers["x-picklebot-session"]
        await never.asked.wait()
        assert site.app.staff.taker.stop(name)
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert said == "Stopped."

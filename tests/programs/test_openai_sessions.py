"""Which session a completion belongs to, and what of it is new: with OpenAI's own client."""

import asyncio
from collections.abc import Callable

import httpx2
import openai
import pytest

from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Serve
from tests.programs.conftest import openai_client
from tests.programs.speaking import Held, asked, assistant, complete, sessions, streamed, system, user


async def test_a_conversation_goes_on_in_its_session_and_only_the_last_message_is_new(serve: Serve) -> None:
    model = ScriptedModel("Hello Ann.", "You are Ann.")
    async with serve(model) as site, openai_client(site) as client:
        first = await complete(client, user("I am Ann."))
        reply = first.choices[0].message.content
        second = await complete(client, user("I am Ann."), assistant(reply), user("Who am I?"))
        assert second.choices[0].message.content == "You are Ann."
        assert await sessions(site) == 1
        assert asked(model, 1).count("I am Ann.") == 1
        assert asked(model, 1).count("Who am I?") == 1


async def test_conversations_that_begin_with_the_same_words_are_not_mixed_up(serve: Serve) -> None:
    model = ScriptedModel("Good morning.", "Good evening.", "It was morning.", "It was evening.")
    async with serve(model) as site, openai_client(site) as client:
        for greeting in ("Good morning.", "Good evening."):
            assert (await complete(client, user("hi"))).choices[0].message.content == greeting
        for greeting, other in (("Good morning.", "Good evening."), ("Good evening.", "Good morning.")):
            await complete(client, user("hi"), assistant(greeting), user("which?"))
            assert greeting in asked(model, -1)
            assert other not in asked(model, -1)
        assert await sessions(site) == 2


async def test_an_answer_that_is_asked_for_again_is_a_new_turn(serve: Serve) -> None:
    model = ScriptedModel("One.", "Two.", "Deux.")
    async with serve(model) as site, openai_client(site) as client:
        await complete(client, user("count"))
        for answer in ("Two.", "Deux."):
            done = await complete(client, user("count"), assistant("One."), user("go on"))
            assert done.choices[0].message.content == answer
        assert await sessions(site) == 1


async def test_what_nobody_here_has_heard_is_sent_along_as_data(serve: Serve) -> None:
    model = ScriptedModel("Blue.", "Still blue.")
    async with serve(model) as site, openai_client(site) as client:
        earlier = [system("Be brief."), user("My colour is blue."), assistant("I see.")]
        await complete(client, *earlier, user("Which is it?"))
        assert "<client-instructions>\nBe brief.\n</client-instructions>" in asked(model, 0)
        assert "user: My colour is blue.\n\nassistant: I see." in asked(model, 0)
        await complete(client, *earlier, user("Which is it?"), assistant("Blue."), user("And now?"))
        assert asked(model, 1).count("Be brief.") <= 2


async def test_instructions_are_sent_once_and_again_when_they_have_changed(serve: Serve) -> None:
    model = ScriptedModel("One.", "Two.", "Three.")
    async with serve(model) as site, openai_client(site) as client:
        talk = [user("count"), assistant("One."), user("go on")]
        await complete(client, system("Be brief."), talk[0])
        await complete(client, system("Be brief."), *talk)
        assert asked(model, 1).count("Be brief.") == 1
        await complete(client, system("Be long."), *talk, assistant("Two."), user("go on"))
        assert asked(model, 2).count("Be long.") == 1
        assert await sessions(site) == 1


async def test_a_client_may_name_the_session(serve: Serve, agent: Callable[..., None]) -> None:
    agent("cookie")
    model = ScriptedModel("Hello.", "Again.")
    async with serve(model) as site, openai_client(site) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="echo", messages=[{"role": "user", "content": "hi"}]
        )
        name = {"X-Picklebot-Session": raw.headers["x-picklebot-session"]}
        await complete(client, user("something else"), extra_headers=name)
        assert "hi" in asked(model, 1)
        assert await sessions(site) == 1
        with pytest.raises(openai.BadRequestError, match="is one of 'echo', not of 'cookie'"):
            await complete(client, user("hi"), model="cookie", extra_headers=name)
        with pytest.raises(openai.NotFoundError, match="there is no session 'nowhere'"):
            await complete(client, user("hi"), extra_headers={"X-Picklebot-Session": "nowhere"})


async def test_the_same_key_is_the_same_completion(serve: Serve) -> None:
    model = ScriptedModel("Once.")
    async with serve(model) as site, openai_client(site) as client:
        key = {"Idempotency-Key": "k1"}
        first, second = [await complete(client, user("hi"), extra_headers=key) for _ in range(2)]
        said, _ = await streamed(client, user("hi"), extra_headers=key)
        assert first.id == second.id
        assert first.choices == second.choices
        assert said == "Once."
        assert len(model.requests) == 1


async def test_a_client_that_tries_again_by_itself_gets_the_answer_of_the_first_time(serve: Serve) -> None:
    late, again = Held("Late, and once."), asyncio.Event()
    model = ScriptedModel(late)

    async def heard(request: httpx2.Request) -> None:
        if request.headers["x-stainless-retry-count"] == "1":
            again.set()

    async with serve(model) as site, openai_client(site, retries=5, heard=heard) as client:
        waiting = asyncio.create_task(complete(client.with_options(timeout=0.5), user("hi")))
        await late.asked.wait()
        await again.wait()
        late.go.set()
        assert (await waiting).choices[0].message.content == "Late, and once."
        assert len(model.requests) == 1
        assert (await site.app.store.ledger.counts()).accepted == 1

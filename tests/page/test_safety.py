"""S16: what anybody wrote is text. Nothing of it runs, and nothing of it is fetched."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import Page, expect

from picklebot.gateway.plain import CONTENT_SECURITY_POLICY, HEADERS
from picklebot.testing import ScriptedModel
from tests.page.conftest import IN_ONE_LOOP, OpenPage, Serve, say
from tests.page.speaker import Speaker

pytestmark = IN_ONE_LOOP

FIRE = "globalThis.fired=1"
CORPUS = (
    f"<script>{FIRE}</script>",
    f"<img src=x onerror={FIRE}>",
    f"<svg onload={FIRE}><animate onbegin={FIRE} attributeName=x dur=1s>",
    '<iframe srcdoc="<script>parent.fired=1</script>"></iframe>',
    f"<body onload={FIRE}><details open ontoggle={FIRE}><summary>x</summary></details>",
    f'<a href="javascript:{FIRE}" autofocus onfocus="{FIRE}">click</a>',
    f"[click](javascript:{FIRE}) [click](JaVaScRiPt:{FIRE}) [click](\x01javascript:{FIRE}) [click](data:text/html,<script>{FIRE}</script>)",
    f"[click](&#106;avascript:{FIRE}) [click](java&#x0A;script:{FIRE}) [click](vbscript:x)",
    f'<javascript:{FIRE}> <https://example.org/" onmouseover="{FIRE}>',
    "![beacon](https://evil.example/beacon.png) ![x](//evil.example/x.png) ![y](data:image/svg+xml,<svg/onload=1>)",
    '<link rel="stylesheet" href="https://evil.example/x.css"><style>@import "https://evil.example/y.css"</style>',
    '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<form action="https://evil.example/"><input type="submit" id="composer"></form>',
    f"```<script>{FIRE}</script>\n</code></pre><script>{FIRE}</script>\n```",
    f"| a | b |\n|---|---|\n| <img src=x onerror={FIRE}> | [x](javascript:{FIRE}) |",
    f'[a]: javascript:{FIRE}\n\n[a] [b]\n\n[b]: https://evil.example/ "\\" onmouseover={FIRE}"',
    "</textarea></title></noscript><plaintext>{{constructor.constructor('fired=1')()}}${alert(1)}",
    '<div id="announcer"></div><img name="getElementById"><form id="location">',
    "\u202ereversed\u202c \u0000\u001b[31mred",
)


async def untouched(page: Page) -> None:
    """Nothing ran, and no element of theirs is there."""
    assert await page.evaluate("globalThis.fired") is None
    forbidden = (
        "main :is(script, style, link, iframe, object, embed, img, base, meta, form:not(.composer):not([role=search]))"
    )
    assert await page.locator(forbidden).count() == 0
    hrefs = await page.locator("main a").evaluate_all("links => links.map(link => link.href)")
    assert not [href for href in hrefs if not href.startswith(("http://", "https://", "mailto:"))]
    handlers = "elements => elements.flatMap(e => e.getAttributeNames()).filter(name => name.startsWith('on'))"
    assert await page.locator("main *").evaluate_all(handlers) == []


async def test_nothing_that_is_said_or_answered_runs(serve: Serve, open_page: OpenPage) -> None:
    async with serve(ScriptedModel(*CORPUS)) as site, open_page(site) as page:
        for number, text in enumerate(CORPUS, 1):
            await say(page, text)
            await expect(page.locator(".reply")).to_have_count(number)
        for link in await page.locator("main a").all():
            await link.hover()
        await untouched(page)
        await page.goto(f"{site.url}/#/flow")
        await expect(page.locator(".stream li")).not_to_have_count(0)
        await untouched(page)


async def test_nothing_that_a_tool_is_given_or_returns_runs(serve: Serve, open_page: OpenPage, mine: Path) -> None:
    (mine.parent / "echo.py").write_text(
        "from picklebot.tools.function import tool\n\n@tool\nasync def parrot(text: str) -> str:\n"
        '    """Say it again."""\n    return text\n'
    )
    speaker = Speaker()
    async with serve(speaker) as site, open_page(site) as page:
        await say(page, "say these")
        for text in CORPUS:
            speaker.call("parrot", text=text)
        speaker.say("said")
        speaker.end()
        await expect(page.locator(".reply")).to_have_text("said")
        calls = page.locator("details.call summary")
        await expect(calls).to_have_count(len(CORPUS))  # the reply can be heard before the last of them is read
        for call in await calls.all():
            await call.click()
        await expect(page.locator(".detail pre")).to_have_count(2 * len(CORPUS))
        await untouched(page)


async def test_no_title_of_a_conversation_and_no_name_of_an_agent_runs(
    serve: Serve, open_page: OpenPage, agent: Callable[..., None], workspace: Path
) -> None:
    agent("evil", description=json.dumps(CORPUS[0]))
    file = workspace / "agents" / "evil" / "AGENT.md"
    file.write_text(file.read_text().replace("name: evil", f"name: {json.dumps(CORPUS[1])}"))
    async with serve(ScriptedModel(*["ok"] * len(CORPUS))) as site:
        for number, text in enumerate(CORPUS):
            said = {"content": text, "client": f"c{number}", "agent": "evil"}
            await site.http.post("/api/messages?wait=10", json=said)
        async with open_page(site) as page:
            await expect(page.locator("#sessions li")).to_have_count(len(CORPUS))
            await expect(page.get_by_label("Agent").locator("option")).to_have_count(3)
            assert await page.locator("#sessions :is(img, script, svg, iframe)").count() == 0
            for link in (await page.locator("#sessions a").all())[:5]:
                await link.click()
                await expect(page.locator(".reply")).to_have_text("ok")
            await untouched(page)


async def test_a_link_says_where_it_leads_and_tells_nothing_of_this_page(serve: Serve, open_page: OpenPage) -> None:
    reply = "[my bank](https://evil.example/login), https://example.org/a and ![a cat](https://evil.example/cat.png)"
    async with serve(ScriptedModel(reply)) as site, open_page(site) as page:
        await say(page, "hi")
        links = page.locator(".reply a")
        await expect(links).to_have_text(
            ["my bank (evil.example)", "https://example.org/a", "Picture: a cat (evil.example)"]
        )
        for link in await links.all():
            assert await link.get_attribute("target") == "_blank"
            assert {"noopener", "noreferrer"} <= set((await link.get_attribute("rel") or "").split())


async def test_the_page_can_make_no_markup_from_a_string_and_run_nothing_from_elsewhere(
    serve: Serve, open_page: OpenPage
) -> None:
    said = ("Content Security Policy", "This document requires 'TrustedHTML'", "TrustedHTML", "TrustedScript")
    async with serve(ScriptedModel()) as site, open_page(site, expected=said) as page:
        for attempt in ("document.body.innerHTML = '<p>x'", "setTimeout('fired = 1')", "eval('fired = 1')"):
            # From a timer: what is evaluated from outside is excused from the policy.
            tried = f"try {{ {attempt}; done('it could') }} catch (error) {{ done(error.name) }}"
            outcome = await page.evaluate(f"() => new Promise(done => setTimeout(() => {{ {tried} }}))")
            assert outcome in {"TypeError", "EvalError"}, attempt
        made = "const e = document.createElement('style'); e.textContent = 'body{color:red}'; document.head.append(e);"
        await page.evaluate(f"() => {{ {made} }}")
        assert await page.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
        assert await page.evaluate("globalThis.fired") is None


async def test_every_answer_of_the_page_has_the_headers(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for path in ("/", "/page/main.js", "/page/vendor/markdown-it.mjs", "/page/base.css"):
            answer = await site.http.get(path)
            assert answer.status_code == 200
            assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
        page = (await site.http.get("/")).text
    assert "style=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY

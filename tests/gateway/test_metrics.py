"""The numbers: those of one moment agree with one another, and each end is counted once."""

from prometheus_client.parser import text_string_to_metric_families

from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Always, Serve, Site


async def numbers(site: Site) -> dict[tuple[str, str], float]:
    """Return the samples of /metrics by name and the values of their labels."""
    answer = await site.http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, ",".join(value for name, value in sorted(sample.labels.items()) if name != "le")): sample.value
        for family in families
        for sample in family.samples
    }


async def test_the_ledger_is_in_balance_and_the_model_is_counted(serve: Serve) -> None:
    async with serve(Always()) as site:
        for n in range(3):
            said = {"content": "hi", "client": f"c{n}"}
            await site.http.post("/api/messages", json=said, params={"wait": "10"})
        found = await numbers(site)
        states = {state: found["picklebot_messages", state] for state in ("done", "failed", "dead", "open")}
        assert found["picklebot_accepted_total", ""] == sum(states.values()) == states["done"] == 3
        [calls] = [value for (name, _), value in found.items() if name == "picklebot_model_calls_total"]
        assert calls == 3
        assert {kind.split(",")[0] for name, kind in found if name == "picklebot_model_tokens_total"} == {
            "input",
            "output",
            "cache_read",
            "cache_write",
        }
        assert ("picklebot_loop_lag_seconds", "") in found
        assert ("picklebot_spend_usd_total", "scripted") in found


async def test_each_turn_and_each_delivery_is_counted_once_in_this_life(serve: Serve) -> None:
    async with serve(ScriptedModel("before")) as site:
        await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
    async with serve(Always()) as site, site.socket() as ws:
        for _ in range(3):
            assert (await numbers(site))["picklebot_turn_seconds_count", ""] == 0
        for n in range(4):
            await ws.say("hi", key=f"m{n}")
            await ws.event("TurnFinished")
            await numbers(site)
        found = await numbers(site)
        assert found["picklebot_turn_seconds_count", ""] == 4
        assert found["picklebot_ws_clients", ""] == 1
        assert found["picklebot_ws_dropped_total", ""] == 0

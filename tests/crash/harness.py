"""Kills a daemon under load, again and again, at random and at moments that it is seen to reach, and then judges.

A seed makes the choices, and the machine decides where they fall: no two runs are the same. Promises that every raid
ends. Knows no verdict by itself.
"""

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash.daemons import Start
from tests.crash.habits import ROUGH
from tests.crash.judge import Findings, judge
from tests.crash.model import TOOLS, Wish
from tests.crash.moments import Aim, MomentKind
from tests.crash.plants import PLANTS
from tests.crash.world import Setting, World

PEERS = 3  #: who write at once
PATIENCE = 2  #: messages that a peer writes before it waits for an answer
LIFETIME = 12  #: messages of a peer before another takes its place, so that conversations stay short
SHARES = (4, 1, 1, 1)  #: of the tools in what is wished for
LONGEST = 0.8  #: seconds of a life whose aim is never reached
STOPS_WITHIN = 30.0  #: seconds
# Most lives get somewhere before they end: who dies in the cradle every time answers nobody.
KINDS: Mapping[MomentKind, int] = {
    "connected": 1,
    "offered": 1,
    "accepted": 2,
    "asked": 4,
    "answered": 4,
    "replied": 4,
    "receipted": 4,
}
SETTINGS = (
    Setting(habits=ROUGH),
    Setting(habits=ROUGH, keyed=False, pauses=(0.0, 0.02)),
    Setting(habits=replace(ROUGH, offers_again=0.9), queue=1, pauses=(0.0, 0.005)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raid:
    """What to do to one world: how many lives, under which seed, and by which signal they end.

    With `around`, every kill falls on moments of that kind, or up to its delay after them. What must hold at every
    moment is judged after every `glances` lives.
    """

    lives: int
    seed: int = 0
    by: signal.Signals = signal.SIGKILL
    around: Aim | None = None
    glances: int = 5


class Crowd:
    """People who write, wait for answers and write again."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._names = 0
        self._peers = 0
        self._left: dict[str, int] = {}
        self._resting = False

    def rest(self) -> None:
        """Write no more."""
        self._resting = True

    def write(self) -> None:
        """Let everybody write who does not wait for too many answers."""
        if self._resting:
            return
        self._left = {peer: left for peer, left in self._left.items() if left}
        while len(self._left) < PEERS:
            self._peers += 1
            self._left[f"peer{self._peers}"] = LIFETIME
        for peer in self._left:
            while self._left[peer] and self._world.platform.owed[peer] < PATIENCE:
                self._left[peer] -= 1
                self._world.platform.post(peer, str(self._wish()))

    def _wish(self) -> Wish:
        self._names += 1
        chance = self._chance
        tools = chance.choices(TOOLS, SHARES, k=chance.randint(1, 3)) if chance.random() < 0.6 else []
        return Wish(
            name=f"m{self._names}",
            tools=tools,
            steps=chance.randint(1, 2) if tools else 0,
            together=chance.random() < 0.5 if tools else False,
        )


async def raid(folder: Path, start: Start, setting: Setting, plan: Raid) -> Findings:
    """Raid one world and judge it. It ends early where something is found."""
    chance = random.Random(plan.seed)
    async with World(folder, start, setting, seed=plan.seed) as world:
        crowd = Crowd(world, chance)
        world.moments.listen("connected", crowd.write)
        world.moments.listen("receipted", crowd.write)
        for life in range(1, plan.lives + 1):
            faults = await _blow(world, plan, chance)
            if faults or life % plan.glances == 0:
                findings = judge(world.evidence(), drained=False)
                findings.faults["not stopped"] += faults
                if findings.verdicts:
                    return findings
        crowd.rest()
        await world.drain()
        return judge(world.evidence())


async def hunt(folder: Path, start: Start, name: str, *, lives: int, seed: int = 0) -> Findings:
    """Look for a bug that was planted, where it shows; return what was found when it was, or after so many lives."""
    plant = PLANTS[name]
    setting = replace(SETTINGS[0], plant=name)
    return await raid(folder, start, setting, Raid(lives=lives, seed=seed, around=plant.shows, glances=2))


async def _blow(world: World, plan: Raid, chance: random.Random) -> list[str]:
    if plan.by is signal.SIGTERM:
        return await _stop_somewhere(world, chance)
    await _kill_somewhere(world, plan.around, chance)
    return []


async def _kill_somewhere(world: World, around: Aim | None, chance: random.Random) -> None:
    """One life, and a violent end: at a random time, at a moment that is seen, or inside a tool."""
    kinds = ("start", "time", "moment", "tool")
    kind = chance.choices(kinds, (0, 0, 0.8, 0.2) if around else (0.1, 0.25, 0.5, 0.15))[0]
    aim = None
    if kind == "time":
        aim = Aim(kind="connected", delay=chance.uniform(0.0, 0.2))
    elif kind == "moment":
        aim = _aim_at(around, chance)
    elif kind == "tool":
        tool = chance.choices(TOOLS, SHARES)[0]
        world.trap(f"{tool}.{chance.choice(('before', 'after', 'after'))}")
    await world.begin(aim)
    await world.linger(chance.uniform(0.0, 0.1) if kind == "start" else LONGEST)
    await world.end(signal.SIGKILL)


def _aim_at(around: Aim | None, chance: random.Random) -> Aim:
    nth = chance.randint(1, 12)
    if around is None:
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        return Aim(kind=kind, nth=nth, delay=chance.choice((None, chance.uniform(0.0, 0.005))))
    return replace(around, nth=nth, delay=None if around.delay is None else chance.uniform(0.0, around.delay))


async def _stop_somewhere(world: World, chance: random.Random) -> list[str]:
    """One life, and a friendly end at a random time; now and then before it has quite begun. Return what went wrong."""
    await world.begin()
    early = chance.random() < 0.1
    if not early:
        await world.moments.until(lambda: world.moments.seen["connected"] > 0, seconds=30)
    await world.linger(chance.uniform(0.0, 0.15))
    try:
        status = await world.end(signal.SIGTERM, seconds=STOPS_WITHIN)
    except TimeoutError:
        return [f"it lived on for {STOPS_WITHIN} s"]
    # Before it listens for signals the kernel ends it: nothing was begun, so nothing was to be finished.
    return [] if status == 0 or (early and status == -signal.SIGTERM) else [f"it ended with status {status}"]

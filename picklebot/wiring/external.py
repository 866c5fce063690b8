"""External agents, made from settings: how their programs are started, and who plays their turns.

Promises that none is started without a sandbox, unless config.yaml wants none. Knows no message.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from picklebot.agent.external import Contact, ExternalRunner
from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.core.events import DispatchEvent
from picklebot.core.messages import Message
from picklebot.definitions.agents import FILE, AgentSpec
from picklebot.errors import ConfigError
from picklebot.ipc.line import Start
from picklebot.ipc.lines import Lines
from picklebot.ipc.starting import Recipe, find, lay_out_helper
from picklebot.sandbox.choosing import Choice
from picklebot.store.base import Turn
from picklebot.wiring.parts import Parts
from picklebot.wiring.sandbox import launcher_of, sandbox_of
from picklebot.wiring.tasks import Unasked
from picklebot.workers.external import ExternalWorker
from picklebot.workers.turn_notes import TurnJournal
from picklebot.workers.voice import Voice


class ExternalAgents:
    """Plays turns of agents that are programs."""

    def __init__(self, config: Config, clock: Clock, *, lines: Lines, voice: Voice) -> None:
        self._config = config
        self._clock = clock
        self._lines = lines
        self._voice = voice

    def runner(self, spec: AgentSpec, turn: Turn, opening: Message, journal: TurnJournal) -> ExternalRunner:
        """Return what plays a turn of such an agent."""
        event = turn.event
        contact = Contact(
            open=partial(self._lines.open, spec.id, event.session_id),
            prepare=partial(prepare, self._config, spec),
            speak=None if isinstance(event, DispatchEvent) else partial(self._voice.in_turn, event=event),
            clock=self._clock,
        )
        events = [event, *(joined.event for joined in turn.joined if joined.step == 0)]
        return ExternalRunner(events, opening, contact=contact, journal=journal)


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Who plays external agents, and who looks after them."""

    agents: ExternalAgents
    worker: ExternalWorker


def open_external(config: Config, clock: Clock, parts: Parts, unasked: Unasked) -> External:
    """Return what external agents need; nothing of it runs until one is spoken to."""
    store = parts.store
    lines = Lines(config.workspace.ipc, clock=clock)
    voice = Voice(
        posting=unasked.posting,
        places=unasked.places,
        sessions=store.sessions,
        is_owner=parts.people.is_owner,
        clock=clock,
    )
    return External(
        agents=ExternalAgents(config, clock, lines=lines, voice=voice),
        worker=ExternalWorker(bus=parts.bus, lines=lines, told=store.told, speak=voice.unasked),
    )


def prepare(config: Config, spec: AgentSpec, folder: Path) -> Start:
    """Return how an agent's program is started in `folder`. Blocks.

    Raises:
        ConfigError: it cannot be, and why.
    """
    choice = sandbox_of(config)
    if refusal := refused(spec, choice):
        raise ConfigError(f"{spec.id} cannot be started: {refusal}")
    launcher = launcher_of(config, choice)
    environment = launcher.environment(spec.sandbox)
    recipe = recipe_of(config, spec, environment["PATH"])
    helper = config.workspace.ipc / ".helper"
    try:
        lay_out_helper(helper)
        inside = launcher.resident(folder, recipe.command, spec.sandbox, further=[*recipe.readable, helper])
    except OSError as exc:
        raise ConfigError(f"{spec.id} cannot be started: {exc}") from exc
    own = {"PYTHONPATH": str(helper), "PICKLEBOT_IPC": str(folder / "ipc"), "PICKLEBOT_AGENT": spec.id}
    return Start(command=inside, environment={**environment, **own})


def refused(spec: AgentSpec, choice: Choice) -> str:
    """Return why no external agent is started here; "" if one may be."""
    if choice.launcher is not None or choice.off or spec.sandbox == "off":
        return ""
    return f"it is an external program, and there is no sandbox to start it in: {choice.why}; {choice.fix}"


def recipe_of(config: Config, spec: AgentSpec, path: str) -> Recipe:
    """Return what an agent's command means here.

    Raises:
        ConfigError: nothing, and why.
    """
    assert spec.runner is not None
    beside = spec.path.parent if spec.path.name == FILE else None
    return find(
        spec.runner.command, spec.runner.read, beside=beside, path=path, private=config.workspace.state.resolve()
    )

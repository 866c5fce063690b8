"""What a daemon is made of and must be closed again: the lock, the store, the models and the tools.

Promises that what was opened is closed in reverse, whatever happens in between. Knows no worker.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.core.bus import EventBus
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.definitions.library import Library
from picklebot.errors import ConfigError
from picklebot.lock import Holder, hold
from picklebot.memory.memories import Memories
from picklebot.models.listing import Windows
from picklebot.store.sqlite import SqliteStore, open_store
from picklebot.tools.toolset import Toolset
from picklebot.wiring.channels import listed_ids
from picklebot.wiring.mcp import waiting
from picklebot.wiring.memory import memories_of
from picklebot.wiring.models import ModelCabinet
from picklebot.wiring.sandbox import notice_of, sandbox_of
from picklebot.wiring.skills import library_of
from picklebot.wiring.stage import database_of, now_in
from picklebot.wiring.tools import open_tools, skills_of
from picklebot.workers.attachments import Attachments
from picklebot.workers.file_proposals import FileProposals
from picklebot.workers.guard import StoreGuard
from picklebot.workers.people import People
from picklebot.workers.places import Places
from picklebot.workers.posting import Posting
from picklebot.workers.skills import Skills
from picklebot.workers.stage import Models


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that is open, and what the workspace's files say."""

    bus: EventBus
    guard: StoreGuard
    store: SqliteStore
    people: People
    attachments: Attachments
    models: Models
    windows: Windows
    toolset: Toolset
    memories: Memories
    library: Library
    bootstrap: Bootstrap
    skills: Skills
    notices: Sequence[str]
    """What a user should read at the start."""
    holder: Holder
    """What this process is, and in which role: server, chat or ask."""

    @property
    def role(self) -> str:
        """What this process is: server, chat or ask."""
        return self.holder.role


@asynccontextmanager
async def open_parts(config: Config, clock: Clock, *, models: Models | None, role: str) -> AsyncGenerator[Parts, None]:
    """Open what `config` names for as long as the block lasts; `models` stand in for the configured ones.

    Raises:
        AlreadyRunning: another process holds the workspace.
        ConfigError: something that `config` names cannot be made.
        StoreError: the database cannot be used.
    """
    workspace = config.workspace
    workspace.prepare()
    holder = Holder(os.getpid(), role, clock.now().isoformat(timespec="seconds"))
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(workspace.lock_file, workspace.daemon_file, holder))
        if workspace.restoring.exists():
            raise ConfigError(f"a restore of {workspace.root} was cut short: run `picklebot restore FILE` again first")
        guard = StoreGuard()
        notices = list(config.warnings)
        windows = Windows()
        if models is None:
            models = cabinet = await stack.enter_async_context(ModelCabinet(config, one_at_a_time=role == "ask"))
            windows = cabinet.windows
            notices += cabinet.notices
        opening = open_store(database_of(config), on_broken=guard.broken, stays=role == "server")
        store = await stack.enter_async_context(opening)
        library, bootstrap = library_of(config, learn=True), Bootstrap(workspace.root)
        skills = skills_of(config, library)
        people = People(listed_ids(config), store.pairings)
        await people.load()
        bus, places = EventBus(), Places(store.places, sources=lambda: people.owner_places)
        attachments = Attachments(workspace.root)
        posting = Posting(posts=store.posts, places=places, channels={}, bus=bus, clock=clock)
        proposing = FileProposals(
            proposals=store.proposals, is_owner=people.is_owner, now=now_in(config, clock), tell=posting.ask
        )
        memories = memories_of(config, clock)
        stack.push_async_callback(memories.close)
        notices += notice_of(config, await asyncio.to_thread(sandbox_of, config))
        opened = open_tools(config, clock, proposing, skills, memories, at_once=role == "server")
        toolset = await stack.enter_async_context(opened)
        notices += await asyncio.to_thread(waiting, config)
        await asyncio.to_thread(library.scan)
        await asyncio.to_thread(bootstrap.refresh)
        yield Parts(
            bus=bus,
            guard=guard,
            store=store,
            people=people,
            attachments=attachments,
            models=models,
            windows=windows,
            toolset=toolset,
            memories=memories,
            library=library,
            bootstrap=bootstrap,
            skills=skills,
            notices=notices,
            holder=holder,
        )

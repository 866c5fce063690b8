"""The store on SQLite: one database, a seam for each consumer.

Promises that the database outlives the process. Knows only how its parts are put together.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from picklebot.store.audit import SqliteAudit
from picklebot.store.bindings import SqliteBindings
from picklebot.store.board import SqliteBoard
from picklebot.store.bookmarks import SqliteBookmarks
from picklebot.store.chain import SqliteChains
from picklebot.store.claims import SqliteClaims
from picklebot.store.compactions import SqliteCompactions
from picklebot.store.database import Database, open_database
from picklebot.store.departures import Departures
from picklebot.store.dispatches import SqliteDispatches
from picklebot.store.drafts import SqliteDrafts
from picklebot.store.events import SqliteLog
from picklebot.store.external import SqliteTold
from picklebot.store.fates import SqliteFates
from picklebot.store.forks import SqliteForks
from picklebot.store.inbox import SqliteInbox
from picklebot.store.jobs import SqliteJobBook
from picklebot.store.joined import SqliteAnswers
from picklebot.store.ledger import SqliteLedger
from picklebot.store.letters import SqliteLetters
from picklebot.store.outbox import SqliteOutbox
from picklebot.store.pairings import SqlitePairings
from picklebot.store.places import SqlitePlaces
from picklebot.store.posts import SqlitePosts
from picklebot.store.proofs import SqliteProofs
from picklebot.store.proposals import SqliteProposals
from picklebot.store.queues import SqliteQueues
from picklebot.store.refusals import SqliteRefusals
from picklebot.store.reports import SqliteDurations, SqliteReports
from picklebot.store.room import SqliteRoom
from picklebot.store.sessions import SqliteSessions
from picklebot.store.tasks import SqliteTasks
from picklebot.store.troubles import SqliteTroubles
from picklebot.store.turns import SqliteTurns
from picklebot.store.writer import Room


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """Every seam over one database."""

    audit: SqliteAudit
    inbox: SqliteInbox
    claims: SqliteClaims
    turns: SqliteTurns
    outbox: SqliteOutbox
    sessions: SqliteSessions
    log: SqliteLog
    ledger: SqliteLedger
    reports: SqliteReports
    durations: SqliteDurations
    chains: SqliteChains
    letters: SqliteLetters
    forks: SqliteForks
    jobs: SqliteJobBook
    refusals: SqliteRefusals
    answers: SqliteAnswers
    bindings: SqliteBindings
    board: SqliteBoard
    dispatches: SqliteDispatches
    drafts: SqliteDrafts
    bookmarks: SqliteBookmarks
    fates: SqliteFates
    pairings: SqlitePairings
    places: SqlitePlaces
    posts: SqlitePosts
    proofs: SqliteProofs
    proposals: SqliteProposals
    queues: SqliteQueues
    room: SqliteRoom
    tasks: SqliteTasks
    compactions: SqliteCompactions
    troubles: SqliteTroubles
    told: SqliteTold

    @classmethod
    def over(cls, database: Database, *, room: Room | None = None) -> "SqliteStore":
        """Return the store that speaks to `database`, whose writes say in `room` that they do not fit any more."""
        departures = Departures()
        return cls(
            audit=SqliteAudit(database),
            inbox=SqliteInbox(database),
            claims=SqliteClaims(database),
            turns=SqliteTurns(database, departures),
            outbox=SqliteOutbox(database, departures),
            sessions=SqliteSessions(database),
            log=SqliteLog(database),
            ledger=SqliteLedger(database),
            reports=SqliteReports(database),
            durations=SqliteDurations(database),
            chains=SqliteChains(database),
            letters=SqliteLetters(database),
            forks=SqliteForks(database),
            jobs=SqliteJobBook(database),
            refusals=SqliteRefusals(database),
            answers=SqliteAnswers(database),
            bindings=SqliteBindings(database),
            proposals=SqliteProposals(database),
            pairings=SqlitePairings(database),
            queues=SqliteQueues(database),
            room=SqliteRoom(database, room or Room()),
            places=SqlitePlaces(database),
            posts=SqlitePosts(database),
            proofs=SqliteProofs(database),
            tasks=SqliteTasks(database),
            troubles=SqliteTroubles(database),
            told=SqliteTold(database),
            dispatches=SqliteDispatches(database),
            drafts=SqliteDrafts(database),
            bookmarks=SqliteBookmarks(database),
            fates=SqliteFates(database),
            board=SqliteBoard(database),
            compactions=SqliteCompactions(database),
        )


@asynccontextmanager
async def open_store(
    path: Path, *, on_broken: Callable[[], None] = lambda: None, stays: bool = False
) -> AsyncGenerator[SqliteStore, None]:
    """Open the store at `path`, migrated and recovered, for as long as the block lasts; `stays` as in `open_database`.

    Raises:
        StoreError: it is damaged, newer than this program, or no database.
    """
    async with open_database(path, on_broken=on_broken, stays=stays) as database:
        store = SqliteStore.over(database, room=database.room)
        await store.outbox.recover()
        yield store

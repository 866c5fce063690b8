"""Whatever fails, and whenever the daemon dies: no message is lost or answered twice, and everything comes to rest."""

import re
from datetime import timedelta
from random import Random

import pytest

from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.database import PlainDatabase
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.company import Queue
from tests.power.disk import Disk, Image
from tests.power.judge import run
from tests.power.vfs import fresh, opened
from tests.simulation import plants
from tests.simulation.life import Life
from tests.simulation.outside import Outside, Question
from tests.simulation.plants import Plants
from tests.simulation.players import START
from tests.simulation.story import tell

SEEDS = 300
CHUNK = 50
ENOUGH = 120  #: seeds among which a planted bug must show itself

MODES: tuple[Queue, ...] = ("collect", "steer", "interrupt")
SEEDS_OF_A_MODE = 100

#: Seeds that once failed: a user was told twice to wait.
REGRESSIONS = (1832, 1842, 2097, 3288)


def problems(seeds: "range | tuple[int, ...]") -> list[str]:
    return [words for seed in seeds for words in tell(seed).problems]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_a_story_of_crashes_and_failures_ends_as_promised(first: int) -> None:
    assert problems(range(first, first + CHUNK)) == []


@pytest.mark.parametrize("queue", MODES)
@pytest.mark.parametrize("first", range(0, SEEDS_OF_A_MODE, CHUNK))
def test_messages_that_are_answered_together_are_answered_once(first: int, queue: Queue) -> None:
    assert [words for seed in range(first, first + CHUNK) for words in tell(seed, queue=queue).problems] == []


def put_off() -> Image:
    """Return a disk with one message, p0-0, that is put off for 100 s, and whose user was told so."""
    disk = Disk(fresh())
    with opened(disk) as connection:
        inbox = SqliteStore.over(PlainDatabase(connection)).inbox
        peer = Source("sim", ("p0",))
        arrival = Arrival(source=peer, content="Q p0-0: ", key="p0-0", agent_id="echo", at=START)
        event = run(inbox.accept(arrival, limit=20)).event
        turn = run(inbox.begin(event.session_id, START))
        assert turn is not None
        notice = OutboundEvent(session_id=event.session_id, source=peer, to=peer, cause_id=event.id, content="Later.")
        run(inbox.defer(turn, until=START + timedelta(seconds=100), why="", notice=notice))
    return disk.kept()


@pytest.mark.parametrize("seed", range(40))
def test_a_message_that_was_put_off_is_begun_at_its_moment_on_a_slow_disk(seed: int) -> None:
    rng = Random(seed)
    # The daemon starts just before that moment, or runs and hears from the same user just before it.
    started, nudge = rng.choice(((rng.uniform(98.0, 100.0), 200.0), (90.0, rng.uniform(98.5, 100.1))))
    question = Question(peer="p0", key="p0-1", content="Q p0-1: ", next_offer=nudge, more=0)
    outside = Outside(rng=rng, questions={"p0-1": question}, troubled=False)
    life = Life(outside, put_off(), Random(seed), plants=plants.NOTHING, now=started)
    life.run(None)  # it raises where something does not come to its end
    life.bury()
    assert [content for _, _, content in outside.heard] == ["Later.", "A p0-0.", "A p0-1."]


def test_a_user_who_was_told_to_wait_is_not_told_again_after_a_crash() -> None:
    with opened(Disk(put_off())) as connection:
        inbox = SqliteStore.over(PlainDatabase(connection)).inbox
        later = START + timedelta(seconds=100)
        [(session_id, _)] = run(inbox.due(later, limit=1))
        before, after = run(inbox.begin(session_id, later)), run(inbox.begin(session_id, later))
        assert before is not None
        assert after is not None
        assert before.parked
        assert after.parked


def test_what_once_went_wrong_goes_well() -> None:
    assert problems(REGRESSIONS) == []


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    again = tell(seed)
    assert tell(seed) == again
    assert again.steps > 0


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (plants.TWO_TRANSACTIONS, "has no reply"),
        (plants.RERUN_TOOLS, "happened 2 times"),
        (plants.SECOND_WORKER, "UNIQUE constraint failed: steps|two turns of"),
        (plants.LAZY_COMMITS, "and the disk has|was accepted as"),
    ],
    ids=["two transactions", "tools run again", "a second worker", "synchronous=NORMAL"],
)
def test_a_planted_bug_is_found(planted: Plants, words: str) -> None:
    assert any(re.search(words, problem) for seed in range(ENOUGH) for problem in tell(seed, planted).problems)


def test_joining_and_marking_in_two_transactions_is_found() -> None:
    words = re.compile("is different now|a question twice")
    stories = (tell(seed, plants.MARKED_LATER, "steer") for seed in range(ENOUGH))
    assert any(words.search(problem) for story in stories for problem in story.problems)

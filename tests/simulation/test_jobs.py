"""Wherever the scheduler dies, and however its clock is set: every instant has one row, and at most one turn."""

import sqlite3

import pytest

from picklebot.store import instants
from picklebot.store.base import Claimed, Firing, Row
from picklebot.store.jobs import SqliteJobBook
from tests.simulation.jobs import tell

SEEDS = 120
CHUNK = 30
ENOUGH = 60  #: seeds among which a planted bug must show itself


class Apart(SqliteJobBook):
    """Makes the row of an instant in one transaction, and accepts its message in the next."""

    async def claim(self, firing: Firing, *, limit: int) -> Claimed:
        """Do in two what is one."""

        def first(connection: sqlite3.Connection) -> Claimed:
            connection.execute("SAVEPOINT taken_back")
            claimed = instants.claim(connection, firing, limit=limit)
            if claimed.event is not None:
                connection.execute("ROLLBACK TO taken_back")
                row = Row(wall=firing.wall, at=firing.at, stage="fired", reason="")
                instants.account(connection, firing.job_id, [row])
            connection.execute("RELEASE taken_back")
            return claimed

        def second(connection: sqlite3.Connection) -> Claimed:
            connection.execute("DELETE FROM instants WHERE job = ? AND wall = ?", (firing.job_id, firing.wall))
            return instants.claim(connection, firing, limit=limit)

        claimed = await self._database.write(first)
        return claimed if claimed.event is None else await self._database.write(second)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_instant_ends_as_one_row_and_at_most_one_turn(first: int) -> None:
    assert [words for seed in range(first, first + CHUNK) for words in tell(seed)] == []


def test_claiming_and_accepting_in_two_transactions_is_found() -> None:
    assert any("its message is None" in words for seed in range(ENOUGH) for words in tell(seed, Apart))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    assert tell(seed, Apart) == tell(seed, Apart)

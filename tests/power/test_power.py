"""After any power cut the store holds all that it promised, and nothing by halves; and planted bugs are seen."""

import pytest

from tests.power.cutting import cut, record
from tests.power.plants import TwoTransactions
from tests.power.vfs import daemon_settings

IMAGES = 460  #: of each day; four days make more than 1,800
ENOUGH = 150  #: images in which a planted bug must show itself


@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_loses_nothing_that_was_promised_and_leaves_nothing_half_done(seed: int) -> None:
    tally = cut(record(seed), IMAGES)
    assert tally.images == IMAGES
    assert not tally.failed, tally.failed[:5]


def test_the_settings_under_test_are_those_of_the_daemon() -> None:
    assert daemon_settings() == daemon_settings() | {"journal_mode": "wal", "synchronous": 2}


def test_the_same_seed_gives_the_same_day_and_the_same_cuts() -> None:
    first, second = record(7), record(7)
    assert [type(entry) for entry in first.log] == [type(entry) for entry in second.log]


def test_planted_commits_that_wait_for_the_next_checkpoint_are_seen_to_be_lost() -> None:
    tally = cut(record(0, synchronous="NORMAL"), ENOUGH)
    assert tally.lost
    assert not tally.broken  # it forgets, and damages nothing


def test_planted_commits_that_are_never_synced_are_seen_to_damage_the_database() -> None:
    assert cut(record(0, synchronous="OFF"), ENOUGH).broken


def test_a_planted_reply_in_a_second_transaction_is_seen_to_be_missing() -> None:
    broken = cut(record(0, turns=TwoTransactions), ENOUGH).broken
    assert any("finished and has no reply" in words for words in broken)

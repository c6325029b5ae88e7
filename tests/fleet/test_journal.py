"""What a gateway promised outlives it."""

import pytest

from fleet.journal import Journal
from fleet.stages import Stage
from tests.fleet.builders import order

REPLY = {"id": "c1", "accepted": True, "reason": None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def reopened(path):
    """Return a journal as the next process finds it; the first is left open, as after a kill."""
    journals = []

    def again() -> Journal:
        journals.append(Journal(path))
        return journals[-1]

    yield again
    for journal in journals:
        journal.close()


def test_it_is_written_through_to_the_disk(reopened):
    """A power cut keeps what was promised."""
    journal = reopened()
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_an_accepted_command_and_its_sortie_are_kept_together(reopened):
    """The reply is the same after a restart, and the sortie is open."""
    reopened().accept("c1", REPLY, order())
    after = reopened()
    assert after.reply_to("c1") == REPLY
    (found,) = after.open_sorties()
    assert found.order == order()
    assert found.stage is Stage.PREFLIGHT


def test_a_second_sortie_of_the_same_id_is_not_accepted(reopened):
    """Neither its sortie nor its reply is kept: both or neither."""
    journal = reopened()
    journal.accept("c1", REPLY, order())
    with pytest.raises(Exception, match="UNIQUE"):
        journal.accept("c2", REPLY, order())
    assert reopened().reply_to("c2") is None


@pytest.mark.parametrize("stage", [s for s in Stage if not s.is_over])
def test_a_sortie_is_open_until_its_last_stage(reopened, stage):
    """Every stage of it is found again."""
    journal = reopened()
    journal.accept("c1", REPLY, order())
    journal.note_counted("S1", {100: 164, 101: 164})
    journal.note_stage("S1", stage)
    (found,) = reopened().open_sorties()
    assert (found.stage, found.counted) == (stage, {100: 164, 101: 164})


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.FAILED])
def test_a_sortie_that_is_over_is_never_taken_up_nor_flown_again(reopened, stage):
    """Its id stays known."""
    journal = reopened()
    journal.accept("c1", REPLY, order())
    journal.note_stage("S1", stage)
    assert reopened().open_sorties() == []
    assert reopened().has_sortie("S1")


def test_events_are_kept_in_order_until_handed_over(reopened):
    """A cut uplink delays them."""
    journal = reopened()
    for number in range(3):
        journal.note_event({"id": f"e{number}", "state": "flying"})
    journal.event_handed_over("e0")
    assert [e["id"] for e in reopened().events_to_hand_over()] == ["e1", "e2"]


def test_a_frame_is_kept_until_accepted_and_known_for_ever(reopened, tmp_path):
    """It is not fetched twice."""
    journal = reopened()
    meta = {"id": "f1", "sortie": "S1", "shot": 0}
    journal.spool(meta, tmp_path / "a.jpg", camera=100, picture=7)
    journal.spool(meta, tmp_path / "a.jpg", camera=100, picture=7)
    (spooled,) = reopened().frames_to_hand_over()
    assert (spooled.id, spooled.meta) == ("f1", meta)
    journal.frame_accepted("f1")
    assert reopened().frames_to_hand_over() == []
    assert reopened().has_picture("S1", 100, 7)
    assert not reopened().has_picture("S1", 101, 7)

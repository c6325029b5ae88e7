"""What officers said, learnt: cheap thresholds only, sources with an owner, and always a way back."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from missions.errors import InputWrong
from missions.geo import moved
from missions.model import Hazard
from missions.program import main
from tests.vision.conftest import meadow, write_thermal
from vision import inspect, spreadsheet
from vision.calibration import Calibration, labels, sources, store, thresholds
from vision.calibration.labels import COLUMNS, Label, Verdict
from vision.scene import Scene

SEEN_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def label(verdict: Verdict, score: float = 0.8, **more) -> Label:
    return Label("c.jpg", "GP-1 T", Hazard.FIRE, score, verdict, seen_at=SEEN_AT, **more)


def real(many: int, score: float = 0.9) -> list[Label]:
    return [label(Verdict.FOREST_FIRE, score) for _ in range(many)]


def test_a_threshold_rises_over_the_false_alarms_when_enough_real_ones_stay_above():
    (learnt,) = thresholds.learn([*real(300), *[label(Verdict.FALSE, 0.6)] * 5], most_recall_loss=0.01)
    assert learnt.threshold == pytest.approx(0.6001)
    assert (learnt.silenced, learnt.lost) == (5, 0)
    assert learnt.lost_share_at_most <= 0.01


def test_few_real_ones_prove_nothing_and_change_nothing():
    (learnt,) = thresholds.learn([*real(50), label(Verdict.FALSE, 0.6)], most_recall_loss=0.01)
    assert learnt.threshold is None
    assert "prove too little" in learnt.why


def test_a_false_alarm_above_the_real_ones_is_not_bought_with_recall():
    told = [*real(300, 0.7), label(Verdict.FALSE, 0.6), label(Verdict.FALSE, 0.95)]
    (learnt,) = thresholds.learn(told, most_recall_loss=0.01)
    assert learnt.threshold == pytest.approx(0.6001)


def test_cameras_and_hazards_learn_apart():
    other = [replace(one, camera="H20T") for one in real(3)]
    assert {one.camera for one in thresholds.learn([*real(3), *other], most_recall_loss=0.1)} == {
        "GP-1 T",
        "H20T",
    }


def test_a_chimney_is_a_source_for_a_year_and_a_permitted_burn_for_a_day(seen_fire):
    told = [
        label(Verdict.INDUSTRIAL_HEAT, place=seen_fire.place, owner="brickworks", area_m2=2.0),
        label(Verdict.PERMITTED, place=moved(seen_fire.place, 0.0, 500.0), owner="farm 7"),
    ]
    (chimney, burn), refused = sources.learn(told, most_recall_loss=0.01)
    assert refused == ()
    assert (chimney.owner, chimney.expires_at - SEEN_AT) == ("brickworks", timedelta(days=365))
    assert burn.expires_at - SEEN_AT == timedelta(days=1)


def test_nobodys_heat_is_no_source_nor_is_one_where_forests_burned(seen_fire):
    told = [
        label(Verdict.INDUSTRIAL_HEAT, place=seen_fire.place),
        label(Verdict.INDUSTRIAL_HEAT, place=seen_fire.place, owner="brickworks"),
        label(Verdict.FOREST_FIRE, place=seen_fire.place),
    ]
    found, refused = sources.learn(told, most_recall_loss=0.01)
    assert found == ()
    assert ["owner" in refused[0].why, "real events" in refused[1].why] == [True, True]


def test_a_source_explains_its_own_heat_until_it_expires_and_not_a_fire_beside_it(seen_fire):
    told = [label(Verdict.INDUSTRIAL_HEAT, place=seen_fire.place, owner="brickworks", area_m2=2.0)]
    (source,), _ = sources.learn(told, most_recall_loss=0.01)
    calibration = Calibration(1, {}, (source,))
    assert calibration.source_of(seen_fire) == source
    assert calibration.source_of(replace(seen_fire, area_m2=20.0)) is None
    assert calibration.source_of(replace(seen_fire, seen_at=SEEN_AT + timedelta(days=366))) is None
    assert calibration.source_of(replace(seen_fire, place=moved(seen_fire.place, 90.0, 60.0))) is None


def test_a_version_comes_back_as_it_was_written_and_can_be_undone(tmp_path, seen_fire):
    told = [label(Verdict.INDUSTRIAL_HEAT, place=seen_fire.place, owner="brickworks", area_m2=2.0)]
    made, _ = sources.learn(told, most_recall_loss=0.01)
    first = store.add(tmp_path, Calibration(0, {("GP-1 T", Hazard.FIRE): 0.7}, made), {}, now=SEEN_AT)
    assert store.current(tmp_path) == first
    second = store.add(tmp_path, Calibration(0, {("GP-1 T", Hazard.FIRE): 0.8}), {}, now=SEEN_AT)
    assert (second.version, store.undo(tmp_path)) == (2, first)
    assert store.undo(tmp_path).version == 0
    assert store.add(tmp_path, Calibration(), {}, now=SEEN_AT).version == 3  # a number is never used twice
    with pytest.raises(InputWrong, match="no calibration to undo"):
        store.undo(tmp_path / "none")


def test_from_a_flight_over_a_verdict_to_a_silent_chimney_and_back(tmp_path, pose, capsys):
    """The whole loop by the commands alone."""
    celsius = meadow()
    celsius[253:259, 317:323] = 450.0
    flight, found, kept = tmp_path / "flight", tmp_path / "found", tmp_path / "calibration"
    flight.mkdir()
    write_thermal(flight / "GP_0001_T.TIF", celsius, pose)
    assert main(["inspect", str(flight), "--out", str(found)]) == 0
    _, (row,) = spreadsheet.read(found / labels.TABLE)
    assert (found / row["crop"]).stat().st_size > 1000
    with (found / labels.TABLE).open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, delimiter=";")
        table.writeheader()
        table.writerow(row | {"verdict": "industrial_heat", "owner": "brickworks"})
    assert main(["calibrate", str(found), "--into", str(kept), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["sources"][0]["owner"]) == (1, "brickworks")
    silent = inspect([flight], scene=Scene(calibration=store.current(kept)))
    assert silent.incidents == ()
    assert "known source: industrial heat of brickworks" in str(silent.frames[0].note)
    assert main(["calibrate", "--into", str(kept), "--undo"]) == 0
    assert len(inspect([flight], scene=Scene(calibration=store.current(kept))).incidents) == 1
    assert main(["inspect", str(flight), "--out", str(found)]) == 0  # verdicts given outlive another look
    flight.rename(tmp_path / "next")  # and another flight's pictures of the same names
    assert main(["inspect", str(tmp_path / "next"), "--out", str(found)]) == 0
    _, rows = spreadsheet.read(found / labels.TABLE)
    assert [r["owner"] for r in rows] == ["brickworks", ""]
    assert len({r["crop"] for r in rows}) == 2


def test_a_threshold_silences_what_is_less_sure_for_its_camera(tmp_path, pose):
    celsius = meadow()
    celsius[253:259, 317:323] = 450.0
    write_thermal(tmp_path / "GP_0001_T.TIF", celsius, pose)
    strict = Calibration(1, {("GP-1 T", Hazard.FIRE): 0.999})
    assert inspect([tmp_path], scene=Scene(calibration=strict)).incidents == ()
    elsewhere = Calibration(1, {("H20T", Hazard.FIRE): 0.999})
    assert len(inspect([tmp_path], scene=Scene(calibration=elsewhere)).incidents) == 1


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("verdict", "dragon", "verdict: found 'dragon'"),
        ("score", "3", "score: found 3"),
        ("hazard", "dragon", "hazard: found 'dragon'"),
        ("expires_at", "2026-06-01T10:00", "expires_at: found '2026-06-01T10:00', expected a time and zone"),
        ("seen_at", "9999-12-31T00:00Z", "seen_at: found '9999"),
        ("ellipse_m", "inf", "found inf, expected a size"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(tmp_path, column, value, words):
    row = {"camera": "C", "hazard": "fire", "score": "0.8", "verdict": "false"} | {column: value}
    with (tmp_path / labels.TABLE).open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerow(row)
    with pytest.raises(InputWrong, match=f"line 2: {words}"):
        labels.read(tmp_path)


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8-sig", ","), ("gb18030", ";"), ("utf-8", "\t")])
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path, encoding, separator):
    table = "camera,hazard,score,verdict\n镜头,Fire,0.8,FALSE".replace(",", separator)
    (tmp_path / labels.TABLE).write_text(table, encoding)
    (one,) = labels.read(tmp_path)
    assert (one.camera, one.verdict) == ("镜头", Verdict.FALSE)


def test_without_a_table_the_command_says_where_one_comes_from(tmp_path, capsys):
    assert main(["calibrate", str(tmp_path), "--into", str(tmp_path / "c")]) == 2
    assert "gridpatrol inspect --out" in capsys.readouterr().err
    (tmp_path / "torn.zip").write_bytes(b"PK")
    with pytest.raises(InputWrong, match="no zip that can be read"):
        labels.read(tmp_path / "torn.zip")

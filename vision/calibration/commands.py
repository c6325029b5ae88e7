"""The command `gridpatrol calibrate`: verdicts in, thresholds and known sources out, or the last undone."""

import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from missions.clock import SystemClock
from missions.errors import InputWrong
from missions.program import out_folder, say, show_json
from vision.calibration import Calibration, labels, sources, store, thresholds
from vision.calibration.sources import Refused
from vision.calibration.thresholds import Learnt

EXAMPLE = """Example: gridpatrol calibrate found/ --into calibration/ --max-recall-loss 0.02

From the service: curl …/v1/verdicts.zip, then gridpatrol calibrate verdicts.zip --into DATA/calibration

Then: gridpatrol inspect flight-08/ --calibration calibration/
Back again: gridpatrol calibrate --into calibration/ --undo"""


def calibrate(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder with labels.csv, its verdicts filled in; or it as a zip."),
    ] = None,
    into: Annotated[Path, typer.Option(help="Folder of calibrations, a numbered file each.")] = Path(
        "calibration"
    ),
    max_recall_loss: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="The share of real events that may be lost, proven.")
    ] = 0.01,
    undo: Annotated[bool, typer.Option("--undo", help="Take the newest calibration back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Learn thresholds and known heat from duty officers' verdicts; reversible."""
    if undo:
        now_counts = store.undo(into)
        say(f"undone: version {now_counts.version} counts")
        told: dict[str, Any] = {"version": now_counts.version, "undone": True}
    else:
        told = _learn(folder, out_folder(into, option="--into"), max_recall_loss)
    if as_json:
        show_json(told)


def _learn(folder: Path | None, into: Path, allowed: float) -> dict[str, Any]:
    if folder is None or not (folder.is_dir() or zipfile.is_zipfile(folder)):
        raise InputWrong(f"found no folder at {folder}: name one with a labels.csv")
    before = store.current(into)
    judged = labels.read(folder)
    if not judged:
        raise InputWrong(f"{folder}: no row of its {labels.TABLE} has a verdict yet")
    learnt = thresholds.learn(judged, most_recall_loss=allowed)
    named, refused = sources.learn(judged, most_recall_loss=allowed)
    now = SystemClock().now()
    raised = {(one.camera, one.hazard): one.threshold for one in learnt if one.threshold is not None}
    kept = tuple(s for s in before.sources if s.expires_at > now and s.id not in {n.id for n in named})
    new = Calibration(0, {**before.thresholds, **raised}, (*kept, *named))
    facts = {"labels": len(judged), "max_recall_loss": allowed, "learnt": [asdict(one) for one in learnt]}
    written = store.add(into, new, facts, now=now)
    for one in learnt:
        say(f"{one.camera}, {one.hazard}: {_sentence(one)}")
    for source in named:
        say(
            f"known source: {source.kind} of {source.owner}, {source.radius_m:.0f} m, "
            f"until {source.expires_at:%Y-%m-%d}"
        )
    for no in refused:
        say(f"no source from {no.label.crop or no.label.place}: {no.why}")
    say(f"version {written.version} counts: {into / f'{written.version:04d}.json'}")
    return facts | {
        "version": written.version,
        "sources": [store.source_json(s) for s in named],
        "refused": [_refused(r) for r in refused],
    }


def _sentence(one: Learnt) -> str:
    if one.threshold is None:
        return f"stays as it is: {one.why}"
    return (
        f"threshold {one.threshold:.3f} {one.why}, loses at most {one.lost_share_at_most:.1%} of real events"
    )


def _refused(refused: Refused) -> dict[str, str]:
    return {"crop": refused.label.crop, "why": refused.why}

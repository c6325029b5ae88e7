"""Commands of vision."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from missions.clock import SystemClock
from missions.errors import InputWrong
from missions.model import Hazard, ReferenceLayers
from missions.program import out_folder, say, show_json
from missions.site import load_site
from missions.terrain import Terrain
from missions.words import LANGUAGES
from vision import bench, present, report
from vision.baselines import commands as keeping
from vision.baselines.opening import opened
from vision.calibration import NOTHING_LEARNT, crops, store
from vision.calibration import commands as calibrating
from vision.detectors import registry
from vision.errors import Unreadable
from vision.evaluate import TASKS, Request, evaluate
from vision.grounds import mended
from vision.inspection import FrameResult, Inspection, inspect, marked
from vision.labelled import load_rgb
from vision.lidar import close_ups, telling
from vision.lidar.cloud import crs_of
from vision.lidar.survey import SurveyAs
from vision.scene import Scene
from vision.train import commands as training

if TYPE_CHECKING:
    from vision.counting import Count


def register(app: typer.Typer) -> None:
    """Add this package's commands to the program."""
    app.command("inspect", epilog=_EXAMPLE)(inspect_pictures)
    app.command("evaluate", epilog=_EVALUATE_EXAMPLE)(evaluate_dataset)
    app.command("calibrate", epilog=calibrating.EXAMPLE)(calibrating.calibrate)
    keeping.register(app)
    training.register(app)
    bench.enrol()


_EXAMPLE = "Example: gridpatrol inspect flight-07/ --dem valley.tif --out found/"


def inspect_pictures(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.", metavar="PATH...")],
    hazard: Annotated[
        list[Hazard] | None, typer.Option(help="Look only for this hazard; may be given again.")
    ] = None,
    dem: Annotated[Path | None, typer.Option(help="Elevation GeoTIFF to lay the pictures on.")] = None,
    tlog: Annotated[
        Path | None, typer.Option(help="Flight log (.tlog) with the poses of pictures that tell none.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="An ONNX detector with its card, in place of the one shipped.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="How the place looked before: a GeoTIFF, or a store of baselines.")
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option(help="The site file: its lines, fields and outfalls are known then."),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of calibrations that `gridpatrol calibrate` made.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Picture, black where no fire or smoke can be: the drone's own legs.")
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="System of a point cloud whose header names none: EPSG:28992.")
    ] = None,
    voltage_kv: Annotated[
        float | None,
        typer.Option(min=0.1, max=1500, help="The line's voltage, for a point cloud's clearances."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for detections.geojson, marked/ and report.html.")
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the report: en-US or zh-CN.")] = LANGUAGES[0],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search pictures for hazards and put what is found on the ground."""
    from vision import counting, moving  # bring SciPy along, which the other commands need not wait for

    _checked(paths, language)
    _check_hazards(hazard)
    _check_model(model)
    if calibration and not any(calibration.glob("[0-9]*.json")):
        raise InputWrong(f"--calibration: {calibration} holds none that `gridpatrol calibrate` made")
    if out:
        out_folder(out)
    known = load_site(site) if site else None
    scene = Scene(
        baseline=opened(baseline) if baseline else None,
        references=known.layers if known else ReferenceLayers(),
        calibration=store.current(calibration) if calibration else NOTHING_LEARNT,
        mask=load_rgb(mask).max(axis=2) > 0 if mask else None,
    )
    results = inspect(
        paths,
        dem=dem,
        tlog=tlog,
        hazards=hazard,
        each=_told,
        now=SystemClock().now(),
        model=model,
        scene=scene,
        survey_as=SurveyAs(crs_of(crs) if crs else None, voltage_kv),
    )
    counts = counting.counts(results.frames, known.demands if known else ())
    if out:
        _write(results, out, language, counts)
        _write_close_ups(results, out, dem)
    _summed(results, out)
    for count in counts:
        say(counting.line(count))
    tracks = moving.tracks(results.frames)
    for track in tracks:
        say(moving.line(track))
    if as_json:
        more = {"counts": list(map(counting.to_json, counts)), "tracks": list(map(moving.to_json, tracks))}
        show_json(present.to_json(results) | more)


_EVALUATE_EXAMPLE = "Example: gridpatrol evaluate pictures/ --task thermal --out scores/ --json"


def evaluate_dataset(
    dataset: Annotated[Path, typer.Argument(help="Folder of pictures and their labels.")],
    task: Annotated[str, typer.Option(help=f"What is scored: {', '.join(sorted(TASKS))}.")],
    hazard: Annotated[Hazard | None, typer.Option(help="Score only this hazard.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="An ONNX detector with its card, in place of the one shipped.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for curves and tables.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score what is found in labelled pictures."""
    _check_model(model)
    folder = out_folder(out) if out else None
    scores = evaluate(task, Request(dataset, say, hazard, model, folder))
    if as_json:
        show_json(scores)
    else:
        say(json.dumps(scores, ensure_ascii=False, indent=1))


def _check_model(model: Path | None) -> None:
    if model is not None and not model.is_file():
        raise InputWrong(f"--model: {model} is no file, expected an ONNX detector")


def _checked(paths: list[Path], language: str) -> None:
    for path in paths:
        if not path.exists():
            raise InputWrong(f"{path}: found nothing there, expected a picture or a folder of pictures")
    if language not in LANGUAGES:
        raise InputWrong(f"--language: found {language}, expected {' or '.join(LANGUAGES)}")


def _check_hazards(hazards: list[Hazard] | None) -> None:
    """Say which hazards nobody looks for: "nothing found" must not be read as "not there"."""
    sought = registry.sought()
    vain = [hazard.value for hazard in hazards or () if hazard not in sought]
    if not vain:
        return
    words = f"--hazard: no detector looks for {', '.join(vain)}, only for {', '.join(sorted(sought))}"
    if len(vain) == len(hazards or ()):
        raise InputWrong(words)
    say(words)


def _told(result: FrameResult) -> None:
    """Say one line about one file."""
    name = Path(result.file).name
    if result.skipped:
        say(f"{name}: skipped: {result.skipped}")
        return
    for i, detection in enumerate(result.detections):
        heat = f", {detection.temp_max_c:.0f} °C" if detection.temp_max_c is not None else ""
        heat = heat.replace(", ", ", at least ") if detection.saturated else heat
        at = result.observation_of(i)
        where = (
            f" at {at.place.lat_deg:.6f}, {at.place.lon_deg:.6f} ± {at.ellipse.major_m:.0f} m" if at else ""
        )
        say(f"{name}: {report.hazard_name(detection.hazard, 'en-US')}{heat}{where}")
    if result.note:
        say(f"{name}: {result.note}")
    elif not result.detections:
        say(f"{name}: nothing found")


def _summed(results: Inspection, out: Path | None) -> None:
    """Say what it all came to."""
    for survey in results.surveys:
        for line in telling.lines(survey, Path(survey.file).name):
            say(line)
    if results.surveys and not results.frames:
        return
    skipped = sum(r.skipped is not None for r in results.frames)
    found = sum(len(r.detections) for r in results.frames)
    say(
        f"{len(results.frames) - skipped} frames, {skipped} skipped, {found} detections, "
        f"{len(results.incidents)} incidents"
    )
    if out:
        say(f"report: {out / 'report.html'}")


def _write_close_ups(results: Inspection, out: Path, dem: Path | None) -> None:
    """Write the close-ups of towers that a plan can fly, as demands of a site file."""
    terrain = mended(Terrain.open(dem)) if dem else None
    found = [d for s in results.surveys for d in close_ups.demands(s, agency="power", terrain=terrain)]
    if found:
        (out / "demands.yaml").write_text(close_ups.fragment(found), "utf-8")
        say(f"demands for {len(found)} close-ups of joints: {out / 'demands.yaml'}")


def _write(results: Inspection, out: Path, language: str, counts: Sequence["Count"]) -> None:
    """Write detections.geojson, a marked picture per frame and the report."""
    folder = out / "marked"
    folder.mkdir(parents=True, exist_ok=True)
    collection = json.dumps(present.to_geojson(results), ensure_ascii=False, indent=1, allow_nan=False)
    (out / "detections.geojson").write_text(collection + "\n", "utf-8")
    drawn: dict[str, bytes] = {}
    for i, result in enumerate(r for r in results.frames if r.skipped is None):
        try:
            drawn[result.file] = marked(result.file, result)
        except Unreadable as reason:  # the file changed while we looked
            say(f"{result.file}: {reason}")
            continue
        (folder / f"{i:04d}_{Path(result.file).stem}.jpg").write_bytes(drawn[result.file])
    crops.keep(list(results.frames), out)
    (out / "report.html").write_text(report.render(results, drawn, language=language, counts=counts), "utf-8")

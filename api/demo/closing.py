"""The closing table of the demo."""

from statistics import median

from rich.table import Table

from api.demo.result import Result, landed_at_dock


def closing(result: Result) -> Table:
    """Return what came of the demo as a table for a person."""
    table = Table(title="What came of it", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, words in _rows(result):
        table.add_row(name, words)
    return table


def _rows(result: Result) -> list[tuple[str, str]]:
    flown = [s for s in result.sorties if s["started_at"]]
    rows = [
        ("sorties", f"{len(flown)} flown, {sum(map(landed_at_dock, flown))} landed at their dock"),
        ("pictures", f"{result.frames} examined"),
    ]
    if result.score is not None:
        there = len(result.score.found) + len(result.score.missed)
        rows.append(("fires", f"{len(result.score.found)} of {there} found"))
        if errors := [m.error_m for m in result.score.found]:
            rows.append(("place", f"{median(errors):.1f} m off in the middle, {max(errors):.1f} m at most"))
        rows.append(("false", f"{len(result.score.false)}, with {result.score.decoys} decoys on the ground"))
    rows += [(f"report {r['id']}", f"{r['outcome']}: {r['reason']}") for r in result.reports]
    first = "none" if result.first_alert_s is None else f"the first after {result.first_alert_s:.0f} s"
    agencies = len(set(result.desks.values()))
    rows.append(("alerts", f"{len(result.desks)} delivered to {agencies} agencies, {first}"))
    return rows

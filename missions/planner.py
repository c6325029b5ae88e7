"""The front door: one site, one plan.

    demands -> periods of the day -> tasks (coverage) -> ways of flying them (passes, airspace)
            -> time and energy between all of them (network) -> sorties (flights, districts)
            -> drones and times (timetable) -> proof (check)

A plan that the checker does not accept is never returned.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from missions import check
from missions.airspace import Airspace, Ground
from missions.coverage import airspace_of, tasks_of
from missions.districts import DISTRICT, LARGE, Land, flown_alone, left_over, searched
from missions.errors import InputWrong, WorkFailed
from missions.flights import Search, found, ordered
from missions.model import Demand, Plan, Site, Sortie, Task, Unserved
from missions.network import Network
from missions.periods import DAY_S, Hours, Mix, Period, periods
from missions.reach import Limits, unflown
from missions.singles import proven, singles
from missions.solver import Best, Progress
from missions.terrain import Terrain
from missions.timetable import Timetable, Unplaced, timetable
from missions.volumes import is_shut
from missions.words import text

# Everything the agencies watch is looked at afresh within one such sortie, launched together.
LONGEST_S = 22 * 60.0

# Part of the limits the solver may use: distances are rounded, turns onto a climb simplified.
SOLVER_SHARE = 0.985
# Where flights made with it do not hold, so much less of it, so often at most.
TIGHTER, TRIES = 0.97, 4

# More demands than this are several sites: their ground alone would take hours to look up.
MOST_DEMANDS = 20_000

WHOLE_DAY: Hours = (0.0, DAY_S)


@dataclass
class PlanRefused(WorkFailed):
    """The checker found a fault in what the planner made."""

    faults: tuple[str, ...]

    def __str__(self) -> str:
        return "the plan does not hold: " + "; ".join(self.faults[:5])


@dataclass(frozen=True, slots=True)
class _Part:
    """What came of one period: its tasks, its sorties, and what it leaves."""

    hours: Hours
    tasks: tuple[Task, ...]
    sorties: tuple[Sortie, ...]
    unserved: tuple[Unserved, ...]


def plan(
    site: Site,
    *,
    terrain: Terrain,
    seconds: float = 10.0,
    iterations: int | None = None,
    seed: int = 1,
    demands: Sequence[Demand] | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    longest_s: float = LONGEST_S,
    language: str = "en-US",
    hours: Hours = WHOLE_DAY,
    late_s: Mapping[str, float] | None = None,
    land_elsewhere: bool = False,
    gap: float = 0.0,
    cancelled: Callable[[], bool] | None = None,
    best: Best | None = None,
) -> Plan:
    """Return sorties that serve the demands (the site's unless given), and what they leave and why.

    With `iterations` the same seed gives the same plan on every machine;
    without, planning stops after `seconds`, or earlier when nothing gets better.
    `progress` is told what is done and how much of it, 0 to 1. Sorties fly within
    `hours` of the site's day; `late_s` says how long ago demands were due, which makes
    them worth more. `land_elsewhere` lets pairs of drones exchange neighbouring docks.
    A search ends within `gap` of a proven bound; once `cancelled` says so the plan found so
    far is proven and returned. `best` hears each search's share done and its cost so far.

    Raises:
        InputWrong: there are more demands than one plan can hold.
        PlanRefused: the independent checker found a fault (a defect of ours).
    """
    tell = progress or _silent
    wanted = tuple(site.demands if demands is None else demands)
    if len(wanted) > MOST_DEMANDS:
        raise InputWrong(
            f"found {len(wanted):,} demands, expected {MOST_DEMANDS:,} at most: make several sites of them"
        )
    asked = replace(site, demands=wanted)
    search = Search(
        seconds, iterations, seed, workers, longest_s, land_elsewhere, gap=gap, cancelled=cancelled, best=best
    )
    chosen: Plan | None = None
    for mix in Mix:
        made = _planned(
            asked,
            terrain,
            search,
            hours,
            mix=mix,
            late_s=late_s or {},
            language=language,
            tell=tell,
        )
        if chosen is None or _rank(made, asked) > _rank(chosen, asked):
            chosen = made
        is_mixed = any(d.window for d in wanted) and any(not d.window for d in wanted)
        if not is_mixed or _is_whole(made) or search.is_cancelled:
            break
    assert chosen is not None
    return chosen


def _silent(what: str, share: float) -> None:
    pass


def _rank(made: Plan, site: Site) -> tuple[int, int, float]:
    left = {u.demand for u in made.unserved}
    musts = sum(d.must for d in site.demands if d.id in left)
    return -musts, sum(len(s.shots) for s in made.sorties), -made.flight_s


def _is_whole(made: Plan) -> bool:
    flown = {t for s in made.sorties for t in s.tasks}
    return all(t.id in flown for t in made.tasks)


def _planned(
    site: Site,
    terrain: Terrain,
    search: Search,
    hours: Hours,
    *,
    mix: Mix,
    late_s: Mapping[str, float],
    language: str,
    tell: Progress,
) -> Plan:
    """Return the plan of all periods together, with its timetable, proven."""
    parts, unserved = periods(
        site, site.demands, hours=hours, longest_s=search.longest_s, mix=mix, language=language
    )
    made = [
        _flown(site, terrain, part, search, late_s=late_s, language=language, tell=tell) for part in parts
    ]
    tell("proving the plan", 1.0)
    tasks, sorties, within = _renamed(made, site)
    left = (*unserved, *(u for part in made for u in part.unserved))
    whole = Plan(site.id, search.seed, sorties, tasks, left)
    table = timetable(whole, site, starts_s=hours[0], ends_s=hours[1], within=within, language=language)
    return _timed(whole, table, site, terrain, search, language)


def _flown(
    site: Site,
    terrain: Terrain,
    period: Period,
    search: Search,
    *,
    late_s: Mapping[str, float],
    language: str,
    tell: Progress,
) -> _Part:
    """Return the sorties of one period, and what they leave and why."""
    tell("laying out looks", 0.0)
    wanted = period.demands
    airspace = airspace_of(site, Ground.of(site, terrain, wanted), wanted, hours=period.hours)
    tasks, unserved = tasks_of(site, terrain, wanted, airspace=airspace, late_s=late_s, language=language)
    hours_s = period.hours[1] - period.hours[0]
    limits = Limits(min(search.longest_s, hours_s), SOLVER_SHARE)
    now = replace(site, no_fly=tuple(replace(z, hours=None) for z in site.no_fly if is_shut(z, period.hours)))
    if len(tasks) >= LARGE and len(site.docks) > 1:
        return _in_districts(site, terrain, period, now, (airspace, tasks, unserved), search, language, tell)
    network = Network(site, airspace, tasks, wanted)
    network.measure(tell, cancelled=search.cancelled)
    held: tuple[Sortie, ...] = ()
    for number in range(TRIES):
        # Once stopped there is one try more, and it must hold: what does not is flown look by look.
        stopped = search.is_cancelled
        tighter = replace(limits, share=limits.share * TIGHTER ** (TRIES - 1 if stopped else number))
        sorties = found(network, tighter, search.tried(number), hours_s=hours_s, tell=tell)
        holding = proven(sorties, tasks, now, terrain, longest_s=search.longest_s)
        held = max(held, holding, key=lambda some: sum(len(s.tasks) for s in some))
        if len(holding) == len(sorties) or stopped:
            break
    flown = {t for s in held for t in s.tasks}
    alone = singles(
        network,
        [k for k, t in enumerate(tasks) if t.id not in flown],
        partial(_holds, tasks, now, terrain, search),
        longest_s=limits.longest_s,
    )
    held = (*held, *alone)
    left = unflown(network, wanted, held, limits, set(), language, stopped=search.is_cancelled)
    return _Part(period.hours, tasks, held, (*unserved, *left))


def _in_districts(
    site: Site,
    terrain: Terrain,
    period: Period,
    now: Site,
    laid: tuple[Airspace, tuple[Task, ...], tuple[Unserved, ...]],
    search: Search,
    language: str,
    tell: Progress,
) -> _Part:
    """Return the sorties of a period with very many tasks; those that do not hold are flown shorter."""
    airspace, tasks, unserved = laid
    hours_s = period.hours[1] - period.hours[0]
    held: tuple[Sortie, ...] = ()
    left = tasks
    land = Land(site, airspace, period.demands, Limits(search.longest_s, SOLVER_SHARE), hours_s, language)
    for _ in range(TRIES):
        some = replace(search, seconds=search.seconds * len(left) / len(tasks))
        made = searched(land, left, some, tell)
        holding = proven(made, tasks, now, terrain, longest_s=search.longest_s)
        held = (*held, *holding)
        flown = {t for s in held for t in s.tasks}
        left = tuple(t for t in tasks if t.id not in flown)
        if len(holding) == len(made) or (search.is_cancelled and len(left) > DISTRICT):
            break
        land = replace(land, limits=replace(land.limits, share=land.limits.share * TIGHTER))
    if not search.is_cancelled:
        held = (*held, *flown_alone(land, tasks, held, partial(_holds, tasks, now, terrain, search)))
    still = left_over(land, tasks, held, stopped=search.is_cancelled)
    return _Part(period.hours, tasks, held, (*unserved, *still))


def _holds(tasks: tuple[Task, ...], site: Site, terrain: Terrain, search: Search, sortie: Sortie) -> bool:
    return bool(proven([sortie], tasks, site, terrain, longest_s=search.longest_s))


def _renamed(
    parts: Sequence[_Part], site: Site
) -> tuple[tuple[Task, ...], tuple[Sortie, ...], dict[str, Hours]]:
    """Return all tasks and sorties, numbered on from period to period, and each sortie's hours."""
    tasks: list[Task] = []
    sorties: list[Sortie] = []
    within: dict[str, Hours] = {}
    for part in parts:
        name = {t.id: f"T{len(tasks) + k:03d}" for k, t in enumerate(part.tasks, start=1)}
        tasks += [replace(t, id=name[t.id]) for t in part.tasks]
        flown = [
            replace(
                s,
                tasks=tuple(name[t] for t in s.tasks),
                waypoints=tuple(replace(w, task=name[w.task]) if w.task else w for w in s.waypoints),
            )
            for s in part.sorties
        ]
        named = ordered(flown, site, first=len(sorties) + 1)
        sorties += named
        within |= {s.id: part.hours for s in named}
    return tuple(tasks), tuple(sorties), within


def _timed(made: Plan, table: Timetable, site: Site, terrain: Terrain, search: Search, language: str) -> Plan:
    """Return the plan with its timetable, without the sorties that find no place in it.

    Raises:
        PlanRefused: the checker found a fault.
    """
    lost = {u.sortie for u in table.unplaced}
    late = [
        _unplaced(demand, each, language)
        for each in table.unplaced
        for demand in _looked_for(made, each.sortie)
    ]
    kept = tuple(s for s in made.sorties if s.id not in lost)
    left = _joined((*late, *made.unserved))
    whole = replace(made, sorties=kept, slots=table.slots, unserved=_worded(left, site, language))
    faults = check.faults(whole, site, terrain, longest_s=search.longest_s)
    # What the checker does not find in the pictures is not said to be served.
    unseen = [f for f in faults if f.startswith("demand ")]
    if unseen:
        doubted = (*whole.unserved, *(_doubted(fault, site, language) for fault in unseen))
        whole = replace(whole, unserved=_worded(_joined(doubted), site, language))
        faults = check.faults(whole, site, terrain, longest_s=search.longest_s)
    if faults:
        raise PlanRefused(faults)
    return whole


def _doubted(fault: str, site: Site, language: str) -> Unserved:
    name, _, why = fault.removeprefix("demand ").partition(": ")
    name = name if any(d.id == name for d in site.demands) else name.split()[0]
    return Unserved(
        name,
        text("unserved.unproven", language, why=why or fault),
        text("unserved.unproven.help", language),
    )


def _joined(left: Sequence[Unserved]) -> tuple[Unserved, ...]:
    """Return one entry a demand, with all its reasons and all that would help."""
    found: dict[str, Unserved] = {}
    for each in left:
        had = found.get(each.demand)
        if had is None:
            found[each.demand] = each
        elif each.reason not in had.reason:
            helps = (
                had.would_help
                if each.would_help in had.would_help
                else f"{had.would_help}; {each.would_help}"
            )
            found[each.demand] = Unserved(each.demand, f"{had.reason}; {each.reason}", helps)
    return tuple(found.values())


def _looked_for(made: Plan, sortie_id: str) -> list[str]:
    over = {t for s in made.sorties if s.id == sortie_id for t in s.tasks}
    return sorted({d for t in made.tasks if t.id in over for d in t.demands})


def _unplaced(demand: str, each: Unplaced, language: str) -> Unserved:
    reason = text("unserved.no_place", language, sortie=each.sortie, why=each.reason)
    return Unserved(demand, reason, each.would_help)


def _worded(left: Sequence[Unserved], site: Site, language: str) -> tuple[Unserved, ...]:
    """Return what is left out, what must not be first and named so."""
    musts = {d.id for d in site.demands if d.must}
    return tuple(
        sorted((_named(u, u.demand in musts, language) for u in left), key=lambda u: u.demand not in musts)
    )


def _named(left: Unserved, is_must: bool, language: str) -> Unserved:
    begins = text("unserved.must", language, reason="")
    if not is_must or left.reason.startswith(begins):
        return left
    return replace(left, reason=begins + left.reason)


def saving(
    shared: Plan,
    site: Site,
    *,
    terrain: Terrain,
    seconds: float = 10.0,
    iterations: int | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    hours: Hours = WHOLE_DAY,
) -> float | None:
    """Return the share of flight time that flying together saves over each agency flying alone.

    None when the agencies alone would not fly at all.
    """
    alone_s = 0.0
    for agency in dict.fromkeys(d.agency for d in site.demands):
        alone_s += plan(
            site,
            terrain=terrain,
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            workers=workers,
            progress=progress,
            hours=hours,
            demands=[d for d in site.demands if d.agency == agency],
        ).flight_s
    return round(1 - shared.flight_s / alone_s, 4) if alone_s else None

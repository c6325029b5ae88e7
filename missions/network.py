"""Docks and tasks as a network: every way of flying every task, and what lies between them."""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from missions import between, energy, legs, passes
from missions.airspace import Airspace, Spot, Way, spot
from missions.between import Between, Flown
from missions.blinds import Blinds
from missions.energy import Cost, UnflyableLeg
from missions.geo import Altitude, Datum, Floats, LatLon
from missions.model import Demand, Dock, DroneModel, Site, Sortie, Task, Waypoint
from missions.passes import Pass, Step
from missions.solver import Progress

# Take-off ends and landing begins so far over the pad, clear of the pylon and its wires.
OVER_DOCK_M = 40.0

# The nearest docks that are tried when a flight breaks off.
ESCAPES = 4

# A plan made in a hurry goes from each spot to one of so many next to it.
NEXT = 40

# At a look by itself the track bends by about so much: what the search counts, as it knows no triples.
POINT_TURN_DEG = 50.0

# The camera hangs down all the way, so that nothing waits for the gimbal.
STRAIGHT_DOWN_DEG = -90.0


class Network:
    """All ways of flying all tasks from all docks, with what each takes."""

    def __init__(
        self, site: Site, airspace: Airspace, tasks: tuple[Task, ...], demands: Sequence[Demand]
    ) -> None:
        self.site, self.airspace, self.tasks = site, airspace, tasks
        self._agency_of = {d.id: d.agency for d in demands}
        self.ways = [passes.passes(task, airspace) for task in tasks]
        self._first = [0, *accumulate(len(ways) for ways in self.ways)]
        self.nodes: list[Pass] = [p for ways in self.ways for p in ways]
        self.over_docks = [self._over(dock) for dock in site.docks]
        size = len(site.docks) + len(self.nodes)
        self.time_s = [np.full((size, size), np.inf) for _ in site.models]
        self.energy_wh = [np.full((size, size), np.inf) for _ in site.models]
        self._between: dict[tuple[Spot, Spot], Way | None] = {}
        self._blinds = Blinds.of(site, airspace.ground.frame)

    def measure(self, tell: Progress, *, cancelled: Callable[[], bool] | None = None) -> None:
        """Fill the matrices: from each dock and each pass's end to each dock and through each pass.

        Once `cancelled` says so, only the ways that a quick plan needs: to docks, and to what is next.
        """
        begins = [*self.over_docks, *(p.spots[0] for p in self.nodes)]
        ends = [*self.over_docks, *(p.spots[-1] for p in self.nodes)]
        number = {spot: k for k, spot in enumerate(dict.fromkeys((*begins, *ends)))}
        are_docks = np.arange(len(number)) < len(set(self.over_docks))
        lies = between.measured(
            tuple(number),
            ~(are_docks[:, None] & are_docks)
            & (are_docks[:, None] | are_docks | self._are_near(tuple(number))),
            self.airspace,
            Flown(self.site.models, self.site.winds),
            way=self.way,
            tell=lambda share: tell("measuring ways", share),
            fewer=lambda: self._are_next(tuple(number)) if cancelled and cancelled() else None,
        )
        grid = np.ix_([number[s] for s in ends], [number[s] for s in begins])
        turning_s, apart = self._turning_s(lies, grid), self._are_apart()
        for m, model in enumerate(self.site.models):
            up, through = self._before_and_through(model)
            turning_wh = turning_s * model.hover_w / 3600
            time_s = lies.time_s[m][grid] + turning_s + up[:, :1] + through[:, 0]
            energy_wh = lies.energy_wh[m][grid] + turning_wh + up[:, 1:] + through[:, 1]
            flown = apart & np.isfinite(time_s)
            self.time_s[m] = np.where(flown, time_s, np.inf)
            self.energy_wh[m] = np.where(flown, energy_wh, np.inf)

    def _are_near(self, spots: Sequence[Spot]) -> np.ndarray:
        """Return between which spots a flight may lie at all: from a dock by both to a dock on one battery.

        It is counted with the least power and the strongest wind from behind, all in straight lines.
        """
        at = np.array([(s.east_m, s.north_m) for s in spots]).reshape(-1, 2)
        docks = np.array([(s.east_m, s.north_m) for s in self.over_docks]).reshape(-1, 2)
        home_m = cdist(at, docks).min(axis=1, initial=np.inf)
        winds = self.site.winds
        wind_m_s = max(w.speed_m_s for w in winds)
        wind_m_s = max(wind_m_s, *(layer.speed_m_s for w in winds for layer in w.aloft), 0.0)
        most_m = max((energy.furthest_m(m, wind_m_s=wind_m_s) for m in self.site.models), default=0.0)
        return np.asarray(home_m[:, None] + cdist(at, at) + home_m <= most_m)

    def _are_next(self, spots: Sequence[Spot]) -> np.ndarray:
        """Return between which spots the ways are that a quick plan cannot do without."""
        at, each = np.array([(s.east_m, s.north_m) for s in spots]), np.arange(len(spots))
        _, next_ = cKDTree(at).query(at, k=min(NEXT + 1, len(at)))
        are_docks = each < len(set(self.over_docks))
        found = are_docks[:, None] | are_docks
        found[each[:, None], next_.reshape(len(at), -1)] = True
        return np.asarray(found | found.T)

    def _turning_s(self, lies: Between, grid: tuple[np.ndarray, ...]) -> Floats:
        """Return what turning onto each way and off it takes, from the track before to the one after."""
        over_docks = np.full(len(self.over_docks), np.nan)
        goes = np.r_[over_docks, [passes.first_deg(p.spots) for p in self.nodes]]
        came = np.r_[over_docks, [passes.last_deg(p.spots) for p in self.nodes]]
        first = np.where(lies.is_nothing[grid], goes, lies.first_deg[grid])
        return legs.turns_s(first - came[:, None]) + legs.turns_s(goes - lies.last_deg[grid])

    def _are_apart(self) -> np.ndarray:
        """Return from which node to which a sortie may go: not dock to dock, nor through a task twice."""
        each = np.array([-1] * len(self.over_docks) + [k for k, w in enumerate(self.ways) for _ in w])
        return np.asarray(each[:, None] != each)

    def _before_and_through(self, model: DroneModel) -> tuple[Floats, Floats]:
        """Return (seconds, watt hours) before each node's end is left, and through each node once it is met.

        A dock is left by taking off and met by landing.
        """
        rises_m = [
            over.altitude_m - dock.elevation_m
            for over, dock in zip(self.over_docks, self.site.docks, strict=True)
        ]
        ups = [energy.takeoff(model, rise_m=rise_m) for rise_m in rises_m]
        downs = [energy.landing(model, fall_m=rise_m) for rise_m in rises_m]
        inside = [self._met(model, p) for p in self.nodes]
        left = [*ups, *(energy.NOTHING for _ in self.nodes)]
        return (
            np.array([(c.time_s, c.energy_wh) for c in left]).reshape(-1, 2),
            np.array([(c.time_s, c.energy_wh) for c in (*downs, *inside)]).reshape(-1, 2),
        )

    def _met(self, model: DroneModel, each: Pass) -> Cost:
        """Return what the search counts for a pass: flying it, and the turn at one that is a single spot."""
        flown = self._through(model, each) or Cost(math.inf, math.inf)
        return flown + energy.turn(model, by_deg=POINT_TURN_DEG) if len(each.spots) == 1 else flown

    def way(self, a: Spot, b: Spot) -> Way | None:
        """Return the way between two spots, worked out once for both directions."""
        if (a, b) not in self._between:
            found = self.airspace.way(a, b)
            self._between[a, b] = found
            self._between[b, a] = found[::-1] if found else None
        return self._between[a, b]

    def sortie(self, flight: tuple[Dock, DroneModel, tuple[Pass, ...]], *, end: Dock | None = None) -> Sortie:
        """Return a flight as a sortie, from over its dock to over where it lands; its id comes later."""
        dock, model, flown = flight
        landing = end or dock
        over = self.over_docks[self.site.docks.index(dock)]
        under = self.over_docks[self.site.docks.index(landing)]
        steps: list[tuple[Step, Task | None]] = [(Step(over), None)]
        for each in flown:
            steps += [(Step(s), None) for s in (self.way(steps[-1][0].spot, each.spots[0]) or ())[1:-1]]
            steps += [(step, each.task) for step in each.steps]
        steps += [(Step(s), None) for s in (self.way(steps[-1][0].spot, under) or ())[1:]]
        cut = self._blinds.cut(steps)
        spots = tuple(step.spot for step, _, _ in cut)
        dwells_s = tuple(step.look.dwell_s if step.look else 0.0 for step, _, _ in cut)
        up = energy.takeoff(model, rise_m=over.altitude_m - dock.elevation_m)
        down = energy.landing(model, fall_m=under.altitude_m - landing.elevation_m)
        ends = up + down + passes.hovering(model, sum(dwells_s))
        total = ends + passes.cost(model, spots, self.site.wind)
        worst = ends + passes.worst(model, spots, self.site.winds)
        waypoints = tuple(self._waypoint(step, task, dock, model, blind=b) for step, task, b in cut)
        served = {a for w in waypoints for a in w.agencies}
        return Sortie(
            id="",
            dock=dock.id,
            model=model.name,
            waypoints=waypoints,
            tasks=tuple(p.task.id for p in flown),
            agencies=tuple(a.id for a in self.site.agencies if a.id in served),
            flight_s=round(total.time_s, 1),
            energy_wh=round(total.energy_wh, 2),
            reserve_min=round(energy.reserve_min(model, worst.energy_wh), 1),
            worst_s=round(worst.time_s, 1),
            worst_wh=round(worst.energy_wh, 2),
            spare_wh=round(self._spare_wh(model, spots, dwells_s, up, worst), 2),
            end="" if landing is dock else landing.id,
        )

    def _spare_wh(
        self, model: DroneModel, spots: Way, dwells_s: tuple[float, ...], up: Cost, worst: Cost
    ) -> float:
        """Return what is left above the reserve if a flight breaks off where that is dearest.

        From there it flies to the dock that takes least, in the worst wind of the forecast; below
        zero where it could not. A flight that is too much as a whole need not be asked where.
        """
        usable_wh, used_wh, least_wh = energy.usable_wh(model), up.energy_wh, math.inf
        if worst.energy_wh > usable_wh:
            return usable_wh - worst.energy_wh
        for k, here in enumerate(spots):
            if k:
                used_wh += passes.worst(model, spots[k - 1 : k + 1], self.site.winds).energy_wh
            used_wh += passes.hovering(model, dwells_s[k]).energy_wh
            least_wh = min(least_wh, usable_wh - used_wh - self._home_wh(model, here))
        return least_wh if math.isfinite(least_wh) else -usable_wh

    def _home_wh(self, model: DroneModel, here: Spot) -> float:
        """Return the energy that flying from a spot to some dock takes at least, landing and all."""
        near = sorted(
            zip(self.over_docks, self.site.docks, strict=True), key=lambda pair: here.run_m(pair[0])
        )
        found = math.inf
        for over, dock in near[:ESCAPES]:
            way = self.airspace.way(here, over)
            flown = self._cost(model, way) if way else None
            if flown is not None:
                down = energy.landing(model, fall_m=over.altitude_m - dock.elevation_m)
                found = min(found, flown.energy_wh + down.energy_wh)
        return found

    def there_and_back(self, task: int) -> tuple[Cost, Dock] | None:
        """Return the cheapest flight for one task alone, or None where there is no way at all."""
        best: tuple[Cost, Dock] | None = None
        docks = len(self.site.docks)
        for m in range(len(self.site.models)):
            for d, dock in enumerate(self.site.docks):
                for node in self.node_numbers(task):
                    total = Cost(
                        float(self.time_s[m][d, docks + node] + self.time_s[m][docks + node, d]),
                        float(self.energy_wh[m][d, docks + node] + self.energy_wh[m][docks + node, d]),
                    )
                    if math.isfinite(total.time_s) and (best is None or total.time_s < best[0].time_s):
                        best = (total, dock)
        return best

    def alone_s(self, task: int) -> float:
        """Return the shortest time over a task itself, without the ways to it and from it."""
        return min(
            (
                cost.time_s
                for model in self.site.models
                for node in self.node_numbers(task)
                if (cost := self._through(model, self.nodes[node]))
            ),
            default=0.0,
        )

    def node_numbers(self, task: int) -> range:
        """Return which of the passes are this task's."""
        return range(self._first[task], self._first[task + 1])

    def _cost(self, model: DroneModel, spots: Way) -> Cost | None:
        try:
            return passes.worst(model, spots, self.site.winds)
        except UnflyableLeg:
            return None

    def _through(self, model: DroneModel, each: Pass) -> Cost | None:
        """Return what flying a pass takes, from its first spot to its last."""
        flown = self._cost(model, each.spots)
        return flown + passes.hovering(model, each.dwell_s) if flown is not None else None

    def _over(self, dock: Dock) -> Spot:
        here = spot(self.airspace.ground.frame, dock.place, 0.0)
        level = float(self.airspace.ground.exact_m(np.array(here.east_m), np.array(here.north_m)))
        base = dock.elevation_m if math.isnan(level) else max(level, dock.elevation_m)
        altitude_m = self.airspace.clear_m(here.east_m, here.north_m, base + OVER_DOCK_M)
        return spot(self.airspace.ground.frame, dock.place, altitude_m)

    def _waypoint(
        self, step: Step, task: Task | None, dock: Dock, model: DroneModel, *, blind: bool
    ) -> Waypoint:
        look = step.look
        wanted = {self._agency_of[d] for d in look.demands} if look else set()
        altitude_m = round(look.altitude.metres if look else step.spot.altitude_m, 2)
        there = look.place if look else self._place(step.spot)
        return Waypoint(
            place=there,
            altitude=Altitude(altitude_m, Datum.AMSL),
            above_dock_m=round(altitude_m - dock.elevation_m, 2),
            speed_m_s=model.cruise_m_s,
            pitch_deg=look.pitch_deg if look else STRAIGHT_DOWN_DEG,
            shoots=look is not None,
            task=task.id if task else None,
            agencies=tuple(a.id for a in self.site.agencies if a.id in wanted),
            heading_deg=look.heading_deg if look else None,
            dwell_s=look.dwell_s if look else 0.0,
            is_blind=blind,
        )

    def _place(self, at: Spot) -> LatLon:
        place = self.airspace.ground.frame.to_place(at.east_m, at.north_m)
        return LatLon(round(place.lat_deg, 7), round(place.lon_deg, 7))

"""Lets the faults of a plan happen: to vehicles, their links and the docks."""

from collections import defaultdict
from collections.abc import Mapping

from sim.dock import DockMachine
from sim.faults import Change, Fault, FaultPlan, Moment, Struck, Timeline
from sim.server import VehicleServer
from sim.troubles import SOUND, troubles_of


class Mishaps:
    """The faults of one simulation as they begin and end."""

    def __init__(
        self,
        plan: FaultPlan,
        *,
        servers: Mapping[str, VehicleServer],
        docks: Mapping[str, DockMachine],
        start_s: float,
    ) -> None:
        self.happened: list[tuple[float, Change]] = []
        self._servers = servers
        self._docks = docks
        self._start_s = start_s
        self._timeline = Timeline(plan.faults, drones=tuple(servers), docks=tuple(docks))
        self._lasting: defaultdict[str, list[Fault]] = defaultdict(list)

    def tick(self, now_s: float) -> None:
        """Begin and end what is due."""
        for change in self._timeline.due(now_s, self._moment_s):
            self.happened.append((now_s, change))
            if change.fault.strikes is Struck.DOCK:
                _strike_dock(self._docks[change.on], change)
            else:
                self._strike_drone(change)

    def _moment_s(self, name: str, moment: Moment) -> float | None:
        if moment is Moment.START:
            return self._start_s
        return self._servers[name].vehicle.moments.get(moment)

    def _strike_drone(self, change: Change) -> None:
        server, fault = self._servers[change.on], change.fault
        match fault.kind:
            case "battery":
                battery = server.vehicle.drone.battery
                battery.energy_wh = battery.capacity_wh * fault.number("share")
                return
            case "reboot":
                server.vehicle.crash_and_boot(fault.number("dark_s"))
                return
        lasting = self._lasting[change.on]
        if change.begins:
            lasting.append(fault)
        else:
            lasting.remove(fault)
        if fault.kind == "link":
            server.impair([f for f in lasting if f.kind == "link"])
        else:
            others = [f for f in lasting if f.kind != "link"]
            server.vehicle.suffer(troubles_of(others) if others else SOUND)


def _strike_dock(dock: DockMachine, change: Change) -> None:
    fault, begins = change.fault, change.begins
    match fault.kind:
        case "dock_stuck":
            if begins:
                dock.jam(fault.word("door"))
            else:
                dock.free()
        case "dock_silent":
            dock.silent = begins
        case "dock_wind":
            dock.wind_reads_m_s = fault.number("speed_m_s") if begins else None
        case "dock_rain":
            dock.rain_mm_h = fault.number("rain_mm_h") if begins else 0.0

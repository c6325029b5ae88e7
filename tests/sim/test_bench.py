"""`gridpatrol bench sim` measures flying vehicles, and says so."""

from missions.measure import Job, Raw
from sim.bench import FEW, rows


def test_all_its_vehicles_fly_and_speak() -> None:
    found = {row.name: row for row in rows(Job(Raw(None), lambda text: None, quick=True))}
    assert found["vehicles.airborne"].value == FEW
    assert found["vehicles.messages"].value is not None
    assert found["vehicles.messages"].value > 12
    assert found["vehicles.realtime"].value is not None
    assert found["vehicles.realtime"].value > 0

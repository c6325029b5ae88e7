"""A vehicle's state, folded from what it and others say."""

from fleet.messages import Firmware, Ground, Heard, Heartbeat, Motion, Reached, Role, Said
from fleet.vehicle import Contact, VehicleKey, Vehicles, fold
from tests.fleet.builders import high, vehicle

BEAT = Heartbeat(Role.VEHICLE, Firmware.ARDUPILOT, True, 3)


def heard(message, *, link="link", system=1, component=1):
    return Heard(link, system, component, message)


def test_another_ground_stations_heartbeat_is_no_disarm():
    """The autopilot forwards it under its own system id."""
    vehicles = Vehicles()
    vehicles.hear(heard(BEAT), 0.0)
    foreign = Heartbeat(Role.GROUND_STATION, Firmware.OTHER, False, 0)
    assert vehicles.hear(heard(foreign), 0.1) is None
    assert vehicles.hear(heard(foreign, system=252, component=190), 0.1) is None
    assert vehicles.of_system(1).armed is True


def test_the_same_system_id_on_two_links_is_two_vehicles():
    """System ids are eight bits: they repeat in any larger fleet."""
    vehicles = Vehicles()
    vehicles.hear(heard(BEAT, link="a"), 0.0)
    vehicles.hear(heard(BEAT, link="b"), 0.0)
    vehicles.hear(heard(Reached(5), link="b"), 0.1)
    assert vehicles.states[VehicleKey("a", 1, 1)].reached == 0
    assert vehicles.states[VehicleKey("b", 1, 1)].reached == 5


def test_only_its_own_heartbeat_founds_a_vehicle():
    """A camera's words under the same system do not."""
    vehicles = Vehicles()
    assert vehicles.hear(heard(Motion(30.0, 119.0, 0, 0, 0, 0, 0)), 0.0) is None
    camera = Heartbeat(Role.CAMERA, Firmware.OTHER, False, 0)
    assert vehicles.hear(heard(camera, component=100), 0.0) is None
    assert vehicles.of_system(1) is None


def test_contact_fades_in_two_steps():
    """Degraded after 3 s, lost after 10 s."""
    state = vehicle(0.0)
    told = [state.contact(t) for t in (0.0, 2.9, 3.0, 9.9, 10.0)]
    assert told == [Contact.FRESH, Contact.FRESH, Contact.DEGRADED, Contact.DEGRADED, Contact.LOST]


def test_a_lost_vehicle_is_never_read_as_landed():
    """Even if its last word was "disarmed on the ground"."""
    state = vehicle(0.0)
    assert state.is_landed(1.0)
    assert not state.is_landed(10.0)


def test_disarmed_in_the_air_is_not_landed():
    """A disarmed drone falls; it has not landed before it lies on the ground."""
    assert not vehicle(0.0, on_ground=False, motion=high()).is_landed(0.0)
    assert not vehicle(0.0, on_ground=None, motion=high()).is_landed(0.0)


def test_without_a_landed_state_the_height_decides():
    """Not every autopilot sends EXTENDED_SYS_STATE."""
    state = vehicle(0.0, on_ground=None)
    assert state.is_landed(0.0)
    assert fold(state, BEAT, 0.0).is_landed(0.0) is False


def test_arming_begins_a_new_count_of_items():
    """The last flight's progress is not this one's."""
    state = fold(vehicle(0.0), Reached(379), 0.0)
    assert fold(state, BEAT, 1.0).reached == 0


def test_complaints_are_warnings_once_each_since_a_time():
    """Chatter is left out."""
    state = vehicle(0.0)
    for at, severity, text in [(1, 4, "PreArm: A"), (2, 4, "PreArm: A"), (3, 6, "chat"), (4, 2, "B")]:
        state = fold(state, Said(severity, text), float(at))
    assert state.complaints(0.0) == ("PreArm: A", "B")
    assert state.complaints(3.5) == ("B",)


def test_ground_unknown_stays_unknown():
    """Undefined is not "in the air"."""
    assert fold(vehicle(0.0), Ground(None), 0.0).on_ground is None

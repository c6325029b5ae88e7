"""What `gridpatrol bench ground` measures of places, identity, growth, and `bench vision` of detectors.

The flights are simulated by `truth.py`, which shares no projection with what is measured.
"""

from missions.measure import Suite, suite

NOISE = (
    "noise, one standard deviation, white and drifting over 60 s: GPS 1.5 + 1.5 m each way, height 2 + 2 m, "
    "tilt 0.5 + 0.5°, yaw 1.5 + 1.5°; clock 50 ms, pixel 0.5 px, elevation model 2 m (waves of 150-600 m); "
    "60-120 m above ground over hills, 10 m/s, 640×512 px thermal camera of 46° width with distortion"
)


def enrol() -> None:
    """Add this package's groups of rows to the suite."""
    _enrol_vision(suite("vision"))
    ground = suite("ground")
    ground.add("single", "vision.bench.places:single", f"one look: how far off; {NOISE}")
    ground.add("fused", "vision.bench.places:fused", "eight looks, beside what their covariance allows")
    ground.add("ellipse", "vision.bench.places:ellipse", "truths inside the 95 % ellipse, by angle off nadir")
    ground.add("photos", "vision.bench.photos:rows", "tie points of real overlapping photos")
    ground.add("identity", "vision.bench.identity:identity", "one fire stays one over passes and drones")
    ground.add("neighbours50", "vision.bench.identity:neighbours", "fires 50 m apart stay two")
    ground.add("absorb", "vision.bench.speed:rows", "observations a second with 100,000 open incidents")
    ground.add("growth", "vision.bench.fronts:rows", "where the fire front will be in 30 minutes")


def _enrol_vision(vision: Suite) -> None:
    """Add the detectors' groups: the first word of the row names, and the function that yields them."""
    looks = "synthetic looks, half of them empty"
    vision.add("discharge", "vision.bench.sights:discharge", f"plumes at outfalls: {looks}")
    vision.add(
        "tree_health", "vision.bench.sights:tree_health", f"crowns that died since the baseline: {looks}"
    )
    vision.add("burning", "vision.bench.sights:burning", f"straw fires in fields: {looks}")
    vision.add("foreign_object", "vision.bench.sights:foreign_object", f"new film near a line: {looks}")
    vision.add("bodies", "vision.bench.bodies:rows", "animals and people in simulated thermal flights")
    vision.add("follow", "vision.bench.followed:rows", "movers in simulated thermal flights; synthetic")
    vision.add("track", "vision.bench.movers:rows", "trucks and people followed on the ground; synthetic")
    vision.add("wires", "vision.bench.wires:rows", "wires of real laser surveys, and how near things come")
    vision.add("flood", "vision.bench.changes:flood", "simulated river floods and rivers in their beds")
    vision.add("logging", "vision.bench.changes:logging", "simulated fellings under season, shadow and noise")
    vision.add("register", "vision.bench.register:rows", "pictures laid on earlier ones; wrong places")
    vision.add("tiles", "vision.bench.tiles:rows", "12 MP from JPEG to boxes, beside SAHI + ultralytics")
    vision.add("thermal", "vision.bench.thermal:rows", "frames a second on one core, decode to observation")
    vision.add("confirm", "vision.bench.confirm:rows", "after confirmation over frames")

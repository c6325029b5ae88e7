"""`python -m sim.sights TOPIC OUT [--seeds 1-50]`: write the looks of a topic with their truth."""

import argparse
import json
from pathlib import Path
from typing import Protocol

from sim.sights import bodies, crowns, film, moving, plume, straw
from sim.sights.stage import Stage


class Topic(Protocol):
    """What a topic's module gives."""

    def draw(self, stage: Stage, folder: Path, seed: int) -> dict[str, object]: ...
    def references(self, stage: Stage) -> dict[str, object]: ...


TOPICS: dict[str, Topic] = {
    "discharge": plume,
    "tree_health": crowns,
    "burning": straw,
    "bodies": bodies,
    "foreign_object": film,
    "moving": moving,
}


def main() -> None:
    """Write a set, as the package's first lines say."""
    words = argparse.ArgumentParser(prog="python -m sim.sights", description="Single looks with truth.")
    words.add_argument("topic", choices=sorted(TOPICS))
    words.add_argument("out", type=Path, help="folder to write to")
    words.add_argument("--seeds", default="1-50", help="first and last seed: 1-50")
    asked = words.parse_args()
    first, _, last = asked.seeds.partition("-")
    topic, stage = TOPICS[asked.topic], Stage()
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "references.json").write_text(json.dumps(topic.references(stage)), "utf-8")
    # Sorted by the hour, so that the light changes rarely.
    for seed in sorted(range(int(first), int(last or first) + 1), key=lambda s: (s % 5, s)):
        folder = asked.out / f"{seed:04d}"
        folder.mkdir(exist_ok=True)
        truth = topic.draw(stage, folder, seed)
        (folder / "truth.json").write_text(json.dumps(truth), "utf-8")
    print(f"{asked.topic} in {asked.out}")


if __name__ == "__main__":
    main()

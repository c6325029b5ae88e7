"""From which end to fly each strip of a tour: exact for the order it has.

Each job is a layer with a node for each end; the cheapest path through the layers,
found from the front by dynamic programming, is the best choice of ends.
"""

from missions.routing.problem import Problem, Tour, is_within_limits


def oriented(problem: Problem, tour: Tour) -> Tour:
    """Return the tour with the node of each job that makes it cheapest, its order kept.

    Unchanged when that would break a limit the tour kept (time and energy may disagree).
    """
    fleet = problem.fleets[tour.fleet]
    time, energy = problem.time[fleet.profile], problem.energy[fleet.profile]
    job_of = problem.job_of()
    layers = [problem.jobs[job_of[node]].nodes for node in tour.nodes]
    reached: dict[int, tuple[int, tuple[int, ...]]] = {fleet.start: (0, ())}
    for layer in [*layers, (fleet.end,)]:
        reached = {
            node: min(
                (
                    cost
                    + problem.per_time * int(time[before, node])
                    + problem.per_energy * int(energy[before, node]),
                    (*path, node),
                )
                for before, (cost, path) in reached.items()
            )
            for node in layer
        }
    ((_, path),) = reached.values()
    turned = Tour(tour.fleet, path[:-1])
    return turned if is_within_limits(problem, turned) else tour

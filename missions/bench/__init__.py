"""`gridpatrol bench planner`: public routing problems, our own cases, sharing, re-planning.

Every answer is proven again by `missions.bench.proof`, which shares no code with the search.
"""

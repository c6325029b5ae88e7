"""Single looks at one kind of thing, with truth: for benches and for tuning detectors.

    python -m sim.sights TOPIC OUT [--seeds 1-50]

TOPIC is discharge, tree_health, burning, foreign_object, bodies or moving. OUT gets a folder for each seed
(`0001/`) with the pictures of one look (bodies, moving: of a short flight), written as a drone writes them,
and its truth.json; and references.json, the vectors that the site's people would have (outfalls, fields).
Even seeds show nothing of the kind, only what is mistaken for it.
The pictures are made, not real, and so is every score on them.
"""

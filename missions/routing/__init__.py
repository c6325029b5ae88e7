"""Which jobs go into which tours, in which order: the core of planning, on PyVRP."""

"""The roles of the service, the composition root: each reads its settings, wires its parts and runs.

Nothing else in the packages reads the environment or opens a database.
"""

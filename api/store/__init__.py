"""What the service remembers: tables, and the functions that change them.

Every function takes a session inside a transaction its caller owns
(`Database.write`), so that things that belong together are committed together.
"""

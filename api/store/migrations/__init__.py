"""How the tables came to be, a step a file; shipped with the package."""

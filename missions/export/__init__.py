"""A plan in the forms other programs read, one file per form."""

"""Open data: the same features over OGC API Features, as bulk files and, for pictures, over STAC."""

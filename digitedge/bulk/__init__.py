"""Documents in, files of results out: as many as there are, on all cores or on a cluster, and whatever happens."""

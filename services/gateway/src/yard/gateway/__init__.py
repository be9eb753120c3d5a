"""The HTTP edge of the platform; it keeps nothing, and may run any number of times."""

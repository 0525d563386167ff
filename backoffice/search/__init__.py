"""Search in one changelist, and the global search over all of them."""

"""Flat resources: objects with ids instead of trees, to list, make, change and delete. `base` has what all share."""

"""A module for each package: how its users would fit a table."""

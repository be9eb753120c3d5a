"""Use cases of dataset repositories."""

"""Use cases of identity, one module a noun."""

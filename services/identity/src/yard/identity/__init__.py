"""Users, roles, access tokens and signing keys."""

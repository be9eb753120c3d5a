"""The services behind the gateway, called in the name of whoever calls us."""

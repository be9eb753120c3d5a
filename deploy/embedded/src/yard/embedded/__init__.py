"""Every server and service on this machine under one supervisor."""

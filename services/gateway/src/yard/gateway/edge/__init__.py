"""What surrounds every route: who calls, what goes wrong, how much may be asked, how lists are paged."""

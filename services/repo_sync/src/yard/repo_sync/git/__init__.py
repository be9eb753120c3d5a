"""Git, run as a program: addresses, objects, fetching and pushing."""

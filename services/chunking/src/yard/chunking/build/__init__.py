"""How chunks are made: plans, jobs for child processes, and one builder for each chunk."""

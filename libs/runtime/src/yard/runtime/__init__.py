"""What each process needs and knows nothing of our domain."""

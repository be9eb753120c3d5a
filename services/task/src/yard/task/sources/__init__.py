"""What the service asks of others: the bucket."""

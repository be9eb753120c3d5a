"""What is imported: objects as readers find them, checked and packed into columns."""

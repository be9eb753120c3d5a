"""How files spell things, whatever the format: JSON, XML, run lengths and numbers."""

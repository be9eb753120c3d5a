"""Events of projects, sent to addresses outside."""

"""`langgraph.managed`, name for name."""

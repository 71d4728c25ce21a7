"""`langgraph.channels`, name for name."""

"""`langgraph.checkpoint`, name for name."""

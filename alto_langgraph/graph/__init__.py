"""`langgraph.graph`, name for name."""

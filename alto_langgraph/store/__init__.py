"""`langgraph.store`, name for name."""

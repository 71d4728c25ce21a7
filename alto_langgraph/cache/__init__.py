"""`langgraph.cache`, name for name."""

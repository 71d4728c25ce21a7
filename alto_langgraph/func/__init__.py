"""`langgraph.func`, name for name."""

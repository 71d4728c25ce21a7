"""`langgraph.prebuilt`, name for name."""

"""`langgraph.store`, name for name; its modules are found by `alto_langgraph.mirror`."""

from alto_langgraph.mirror import mirror

mirror(__name__)

from langgraph.checkpoint.serde.event_hooks import *

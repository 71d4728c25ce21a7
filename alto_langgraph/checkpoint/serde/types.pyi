from langgraph.checkpoint.serde.types import *

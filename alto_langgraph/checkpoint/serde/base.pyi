from langgraph.checkpoint.serde.base import *

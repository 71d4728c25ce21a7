from langgraph.checkpoint.serde import *

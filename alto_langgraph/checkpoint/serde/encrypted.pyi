from langgraph.checkpoint.serde.encrypted import *

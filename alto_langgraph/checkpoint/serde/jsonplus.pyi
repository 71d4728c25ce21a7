from langgraph.checkpoint.serde.jsonplus import *

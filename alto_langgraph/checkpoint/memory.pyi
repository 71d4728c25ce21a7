from langgraph.checkpoint.memory import *

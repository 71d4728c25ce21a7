from langgraph.store.memory import *

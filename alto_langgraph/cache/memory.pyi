from langgraph.cache.memory import *

from langgraph.cache.redis import *

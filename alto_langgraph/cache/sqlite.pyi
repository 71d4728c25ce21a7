from langgraph.cache.sqlite import *

from langgraph.cache.base import *

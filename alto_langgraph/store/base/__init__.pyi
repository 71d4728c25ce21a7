from langgraph.store.base import *

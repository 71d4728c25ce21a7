from langgraph.store.base.embed import *

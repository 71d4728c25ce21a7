from langgraph.store.sqlite.aio import *

from langgraph.store.sqlite.base import *

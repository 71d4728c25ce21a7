from langgraph.store.sqlite import *

from langgraph.store.postgres import *

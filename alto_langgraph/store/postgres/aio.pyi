from langgraph.store.postgres.aio import *

from langgraph.store.postgres.base import *

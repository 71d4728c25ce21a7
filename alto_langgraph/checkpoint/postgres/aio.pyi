from langgraph.checkpoint.postgres.aio import *

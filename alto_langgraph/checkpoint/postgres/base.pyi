from langgraph.checkpoint.postgres.base import *

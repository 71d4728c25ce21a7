from langgraph.checkpoint.sqlite.aio import *

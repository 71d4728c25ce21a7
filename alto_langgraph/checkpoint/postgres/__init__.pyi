from langgraph.checkpoint.postgres import *

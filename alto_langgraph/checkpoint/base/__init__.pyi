from langgraph.checkpoint.base import *

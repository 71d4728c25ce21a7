from langgraph.checkpoint.sqlite import *

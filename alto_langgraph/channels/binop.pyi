from langgraph.channels.binop import *

from langgraph.channels.any_value import *

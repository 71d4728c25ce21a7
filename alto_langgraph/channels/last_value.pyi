from langgraph.channels.last_value import *

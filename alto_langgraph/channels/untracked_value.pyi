from langgraph.channels.untracked_value import *

from langgraph.channels.named_barrier_value import *

from langgraph.managed.is_last_step import *

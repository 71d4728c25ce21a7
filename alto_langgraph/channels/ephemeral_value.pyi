from langgraph.channels.ephemeral_value import *

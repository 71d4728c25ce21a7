from langgraph.prebuilt.interrupt import *

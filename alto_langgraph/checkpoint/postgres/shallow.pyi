from langgraph.checkpoint.postgres.shallow import *

from langgraph.prebuilt.chat_agent_executor import *

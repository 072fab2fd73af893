"""LangChain's runnable for assistants: an answer, and tools."""

from langchain_classic.agents.openai_assistant import OpenAIAssistantRunnable
from langchain_core.tools import tool
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


assistant = OpenAIAssistantRunnable.create_assistant(
    name="Helper", instructions="You help.", tools=[get_weather], model="gpt-4o", client=client, as_agent=True
)
print(assistant.invoke({"content": "Hello"}).return_values["output"])

actions = assistant.invoke({"content": "weather in Paris and Rome?"})
outputs = [{"tool_call_id": action.tool_call_id, "output": get_weather.invoke(action.tool_input)} for action in actions]
print([output["output"] for output in outputs])
answer = assistant.invoke({"tool_outputs": outputs, "run_id": actions[0].run_id, "thread_id": actions[0].thread_id})
print(answer.return_values["output"])

"""CrewAI: a crew of one agent with a tool."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

llm = LLM(model="openai/gpt-4o", base_url="http://127.0.0.1:8000/v1", api_key="none")


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


print(llm.call("Hello"))
helper = Agent(role="Helper", goal="Help", backstory="You help.", llm=llm, tools=[get_weather])
task = Task(description="weather for a crew", expected_output="A sentence.", agent=helper)
print(Crew(agents=[helper], tasks=[task]).kickoff().raw)

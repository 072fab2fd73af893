"""openai-agents: an answer, one as it comes, tools, a shape, a session that remembers."""

import asyncio

from agents import (
    Agent,
    Runner,
    SQLiteSession,
    function_tool,
    set_default_openai_api,
    set_default_openai_client,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

set_default_openai_client(AsyncOpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none"))
set_default_openai_api("chat_completions")
set_tracing_disabled(True)

asked = []


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    asked.append(city)
    return f"sunny in {city}"


class Weather(BaseModel):
    city: str
    sunny: bool


agent = Agent(name="Helper", instructions="You help.", model="gpt-4o", tools=[get_weather])


async def main():
    print((await Runner.run(agent, "Hello")).final_output)

    story = Runner.run_streamed(agent, "tell a story")
    async for event in story.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            print(event.data.delta, end="|")
    print()

    print((await Runner.run(agent, "weather in Paris and Rome?")).final_output, sorted(asked))

    shaped = Agent(name="Shaped", model="gpt-4o", output_type=Weather)
    print(repr((await Runner.run(shaped, '{"city": "Paris", "sunny": true}')).final_output))

    session = SQLiteSession("Ann")
    await Runner.run(agent, "Hello", session=session)
    print((await Runner.run(agent, "how many messages?", session=session)).final_output)


asyncio.run(main())

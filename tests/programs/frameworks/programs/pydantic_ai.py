"""pydantic-ai: an answer, one as it comes, tools, a shape."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url="http://127.0.0.1:8000/v1", api_key="none")
agent = Agent(OpenAIChatModel("gpt-4o", provider=provider), instructions="You help.")

asked = []


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city."""
    asked.append(city)
    return f"sunny in {city}"


class Weather(BaseModel):
    city: str
    sunny: bool


async def main():
    first = await agent.run("Hello")
    print(first.output)

    async with agent.run_stream("tell a story") as story:
        async for piece in story.stream_text(delta=True, debounce_by=None):
            print(piece, end="|")
    print()

    print((await agent.run("weather in Paris and Rome?")).output, sorted(asked))

    shaped = await agent.run('{"city": "Paris", "sunny": true}', output_type=NativeOutput(Weather))
    print(repr(shaped.output))

    print((await agent.run("how many messages?", message_history=first.all_messages())).output)


asyncio.run(main())

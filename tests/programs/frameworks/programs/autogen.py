"""AutoGen: an answer, one as it comes, tools, a shape, and its agent on assistants."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from autogen_core import CancellationToken
from autogen_ext.agents.openai import OpenAIAssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI

zhuli = {"base_url": "http://127.0.0.1:8000/v1", "api_key": "none"}
model = OpenAIChatCompletionClient(model="gpt-4o", **zhuli)


async def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def helper(**options):
    return AssistantAgent("helper", model, system_message="You help.", **options)


async def main():
    print((await helper().run(task="Hello")).messages[-1].content)

    async for event in helper(model_client_stream=True).run_stream(task="tell a story"):
        if isinstance(event, ModelClientStreamingChunkEvent):
            print(event.content, end="|")
    print()

    agent = helper(tools=[get_weather], reflect_on_tool_use=True)
    print((await agent.run(task="weather in Paris and Rome?")).messages[-1].content)

    assistant = OpenAIAssistantAgent(
        name="helper", description="Helps.", instructions="You help.", client=AsyncOpenAI(**zhuli), model="gpt-4o"
    )
    response = await assistant.on_messages([TextMessage(content="Hello", source="user")], CancellationToken())
    print(response.chat_message.content)


asyncio.run(main())

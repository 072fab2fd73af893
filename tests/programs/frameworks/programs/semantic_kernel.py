"""Semantic Kernel: an answer, one as it comes, tools, vectors, and its agent on assistants."""

import asyncio

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent, OpenAIAssistantAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAITextEmbedding
from semantic_kernel.functions import kernel_function

client = AsyncOpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")
service = OpenAIChatCompletion(ai_model_id="gpt-4o", async_client=client)


class Weather:
    @kernel_function(name="get_weather", description="The weather in a city.")
    def get_weather(self, city: str) -> str:
        return f"sunny in {city}"


async def main():
    agent = ChatCompletionAgent(service=service, name="Helper", instructions="You help.", plugins=[Weather()])
    print(await agent.get_response("Hello"))

    print("|".join([str(piece) async for piece in agent.invoke_stream("tell a story") if str(piece)]))

    print(await agent.get_response("weather by a plugin"))

    vectors = await OpenAITextEmbedding(ai_model_id="text-embedding-3-small", async_client=client).generate_embeddings(
        ["one", "two"]
    )
    print(vectors.shape)

    definition = await client.beta.assistants.create(model="gpt-4o", name="Helper", instructions="You help.")
    assistant = OpenAIAssistantAgent(client=client, definition=definition, plugins=[Weather()])
    response = await assistant.get_response("Hello")
    print(response)
    print(await assistant.get_response("weather by a plugin", thread=response.thread))
    story = assistant.invoke_stream("tell a story", thread=response.thread)
    print("|".join([str(piece) async for piece in story if str(piece)]))


asyncio.run(main())

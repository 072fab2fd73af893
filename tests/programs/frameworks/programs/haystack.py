"""Haystack: an answer, one as it comes, tools, vectors."""

from typing import Annotated

from haystack import Document
from haystack.components.agents import Agent
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tools import tool
from haystack.utils import Secret

zhuli = {"api_base_url": "http://127.0.0.1:8000/v1", "api_key": Secret.from_token("none")}
generator = OpenAIChatGenerator(model="gpt-4o", **zhuli)

asked = []


@tool
def get_weather(city: Annotated[str, "the city"]) -> str:
    """The weather in a city."""
    asked.append(city)
    return f"sunny in {city}"


print(generator.run([ChatMessage.from_user("Hello")])["replies"][0].text)

pieces = []
generator.run([ChatMessage.from_user("tell a story")], streaming_callback=lambda chunk: pieces.append(chunk.content))
print("|".join(piece for piece in pieces if piece))

agent = Agent(chat_generator=generator, tools=[get_weather])
answer = agent.run(messages=[ChatMessage.from_user("weather in Paris and Rome?")])
print(answer["last_message"].text, sorted(asked))

store = InMemoryDocumentStore()
texts = [Document(content="The bakery opens at six."), Document(content="Ships need a lighthouse.")]
store.write_documents(
    OpenAIDocumentEmbedder(model="text-embedding-3-small", progress_bar=False, **zhuli).run(texts)["documents"]
)
question = OpenAITextEmbedder(model="text-embedding-3-small", **zhuli).run("when does the bakery open?")["embedding"]
print(InMemoryEmbeddingRetriever(store, top_k=1).run(question)["documents"][0].content)

"""LlamaIndex: an answer, one as it comes, tools, a shape, vectors."""

import asyncio

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

zhuli = {"api_base": "http://127.0.0.1:8000/v1", "api_key": "none"}
llm = OpenAILike(model="gpt-4o", is_chat_model=True, is_function_calling_model=True, **zhuli)
embeddings = OpenAILikeEmbedding(model_name="text-embedding-3-small", **zhuli)

asked = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    asked.append(city)
    return f"sunny in {city}"


async def main():
    print(llm.complete("Hello").text)

    print("|".join(piece.delta for piece in llm.stream_complete("tell a story") if piece.delta))

    agent = FunctionAgent(tools=[get_weather], llm=llm)
    print(await agent.run("weather in Paris and Rome?"), sorted(asked))

    texts = ["The bakery opens at six.", "Ships need a lighthouse."]
    index = VectorStoreIndex.from_documents([Document(text=text) for text in texts], embed_model=embeddings)
    print(index.as_retriever(similarity_top_k=1).retrieve("when does the bakery open?")[0].text)


asyncio.run(main())
